// SPDX-License-Identifier: Apache-2.0
#include "config/program_state.h"

#include <algorithm>
#include <cstring>

#include "config/master.h"

namespace sluice {
namespace {

// Policy asks for our own addresses, too.
bool may_deny_flows(const ProgramDelta& delta) {
  return delta.addresses_given || delta.sources_given || !delta.ruleSets.slot.empty() ||
         !delta.removedRuleSets.empty() || !delta.identities.slot.empty() ||
         !delta.removedIdentities.empty() || !delta.identityNetworks.length.empty() ||
         !delta.removedIdentityNetworks.length.empty();
}

// Whether flows that are there may have to go another way, or not to go on. What only brings
// backends, or changes who new connections go to, leaves them alone.
bool may_move_flows(const ProgramDelta& delta, const Master& master) {
  const auto& put = delta.backends.slot;
  return may_deny_flows(delta) || delta.scopes_given || !delta.removedBackends.empty() ||
         !delta.groups.slot.empty() || !delta.routes.length.empty() ||
         !delta.removedRoutes.length.empty() ||
         std::any_of(put.begin(), put.end(),
                     [&](uint32_t slot) { return master.has_backend(slot); });
}

}  // namespace

struct ProgramState::State {
  State(const Limits& limits, const std::atomic<bool>* up_flags) : master(limits), up(up_flags) {
    Snapshot& snapshot = master.snapshot;
    snapshot.interfaces.resize(limits.interfaces);
    snapshot.next_hops.resize(kHostNextHop + 1);
  }

  void next_stamp() {
    if (++master.snapshot.stamp == 0) master.snapshot.stamp = 1;
  }

  std::unique_ptr<Snapshot> publish() {
    master.publish();
    return std::make_unique<Snapshot>(master.snapshot);
  }

  Master master;
  const std::atomic<bool>* up;
};

ProgramState::ProgramState(const Limits& limits, const std::atomic<bool>* up)
    : state_(std::make_unique<State>(limits, up)) {}

ProgramState::~ProgramState() = default;

Status ProgramState::open() {
  Master& master = state_->master;
  const uint32_t routes = master.limits.routes;
  if (master.routes4.open(routes) && master.routes6.open(routes)) return {};
  return Error{"ERR_ENGINE",
               "no memory for route tables of " + std::to_string(routes) +
                   " routes; raise `memory`, or lower `routes` or `mbufs`",
               "memory"};
}

Status ProgramState::check(const ProgramDelta& delta) const {
  return check_delta(delta, state_->master);
}

std::unique_ptr<Snapshot> ProgramState::build(const ProgramDelta& delta) {
  settle();
  Master& master = state_->master;
  master.snapshot.generation++;
  if (may_move_flows(delta, master)) state_->next_stamp();
  apply_services(delta, master.snapshot.generation, master);
  apply_network(delta, master);
  apply_policy(delta, master);
  return state_->publish();
}

void ProgramState::settle() { state_->master.settle(); }

std::unique_ptr<Snapshot> ProgramState::add_interface(uint16_t slot, const uint8_t mac[6],
                                                      uint16_t mtu, bool unfinished_checksums,
                                                      std::shared_ptr<const Tunnel> tunnel) {
  settle();
  InterfaceView& view = state_->master.snapshot.interfaces.edit(slot);
  view = {};
  view.present = true;
  view.unfinished_checksums = unfinished_checksums;
  std::memcpy(view.mac, mac, 6);
  view.mtu = mtu;
  view.up = &state_->up[slot];
  view.tunnel = std::move(tunnel);
  collect_tunnels(state_->master.snapshot);
  state_->next_stamp();
  return state_->publish();
}

std::unique_ptr<Snapshot> ProgramState::remove_interface(uint16_t slot) {
  settle();
  clear_interface(slot, state_->master);
  state_->next_stamp();
  return state_->publish();
}

ProgramState::Sizes ProgramState::sizes() const {
  const Master& master = state_->master;
  return {static_cast<uint32_t>(master.routes.size()),
          static_cast<uint32_t>(master.frontends.size()), master.backends, master.pools};
}

}  // namespace sluice
