// SPDX-License-Identifier: Apache-2.0
#include "config/program_state.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "config/master.h"
#include "table/maglev.h"

namespace sluice {
namespace {

std::shared_ptr<const Pool> make_pool(const ProgramDelta& delta, size_t row) {
  const auto& table = delta.backends;
  auto pool = std::make_shared<Pool>();
  const size_t first = delta.pools.first[row], count = delta.pools.count[row];
  std::vector<MaglevBackend> spread(count);
  for (size_t i = 0; i < count; i++) {
    const size_t at = first + i;
    pool->backends.push_back({address_of(table.address, at), be16::from_host(table.port[at]),
                              table.weight[at], table.slot[at]});
    std::memcpy(spread[i].address, &table.address[16 * at], 16);
    spread[i].port = table.port[at];
    spread[i].weight = table.weight[at];
  }
  pool->maglev = build_maglev(spread);
  return pool;
}

}  // namespace

struct ProgramState::State {
  struct RouteChange {
    be32 prefix;
    uint8_t length;
    uint32_t next_hop;  // kNoNextHop: removal
  };

  State(const Limits& limits, const std::atomic<bool>* up_flags) : master(limits), up(up_flags) {
    master.snapshot.services = std::make_shared<ServiceTable>(std::vector<Frontend>{});
    master.snapshot.interfaces.resize(limits.interfaces);
    master.snapshot.backends.resize(limits.backends);
  }

  void apply_pools(const ProgramDelta& delta);
  void apply_frontends(const ProgramDelta& delta);
  void apply_addresses(const ProgramDelta& delta);
  void apply_routes(const ProgramDelta& delta);
  void remove_pool(uint32_t slot);
  void remove_frontend(uint32_t slot);
  void remove_route(be32 prefix, uint8_t length);
  void collect_own_addresses();
  void bring_up_to_date(RouteTable& table) const;
  std::unique_ptr<Snapshot> publish();

  Master master;
  const std::atomic<bool>* up;
  std::unique_ptr<RouteTable> tables[2];
  uint32_t active = 0;               // of `tables`: the one that the newest snapshot names
  std::vector<RouteChange> changes;  // that the other table has not seen
};

void ProgramState::State::remove_pool(uint32_t slot) {
  Snapshot& next = master.snapshot;
  if (!master.has_pool(slot)) return;
  for (const BackendRow& row : next.pools[slot]->backends) next.backends[row.slot] = {};
  next.pools[slot] = nullptr;
}

void ProgramState::State::apply_pools(const ProgramDelta& delta) {
  Snapshot& next = master.snapshot;
  // All old backends go before the first new one comes: a slot may move from pool to pool.
  for (uint32_t slot : delta.removedPools) remove_pool(slot);
  for (uint32_t slot : delta.pools.slot) {
    if (slot >= next.pools.size()) next.pools.resize(slot + 1);
    remove_pool(slot);
  }
  for (size_t row = 0; row < delta.pools.slot.size(); row++) {
    const uint32_t slot = delta.pools.slot[row];
    next.pools[slot] = make_pool(delta, row);
    for (const BackendRow& backend : next.pools[slot]->backends) {
      next.backends[backend.slot] = {backend.address, backend.port, true, slot};
    }
  }
}

void ProgramState::State::remove_frontend(uint32_t slot) {
  const auto found = master.frontends.find(slot);
  if (found == master.frontends.end()) return;
  const Frontend& old = found->second;
  master.frontend_slots.erase(frontend_key(old.address, old.port, old.protocol));
  const auto references = master.pool_references.find(old.pool);
  if (--references->second == 0) master.pool_references.erase(references);
  master.frontends.erase(found);
}

void ProgramState::State::apply_frontends(const ProgramDelta& delta) {
  const auto& table = delta.frontends;
  if (table.slot.empty() && delta.removedFrontends.empty()) return;
  for (uint32_t slot : delta.removedFrontends) remove_frontend(slot);
  for (uint32_t slot : table.slot) remove_frontend(slot);
  for (size_t row = 0; row < table.slot.size(); row++) {
    const Frontend frontend{address_of(table.address, row), be16::from_host(table.port[row]),
                            table.protocol[row], table.slot[row], table.pool[row]};
    master.frontends.emplace(frontend.slot, frontend);
    master.frontend_slots.emplace(frontend_key(frontend.address, frontend.port, frontend.protocol),
                                  frontend.slot);
    master.pool_references[frontend.pool]++;
  }
  std::vector<Frontend> all;
  all.reserve(master.frontends.size());
  for (const auto& [slot, frontend] : master.frontends) all.push_back(frontend);
  master.snapshot.services = std::make_shared<ServiceTable>(all);
}

void ProgramState::State::apply_addresses(const ProgramDelta& delta) {
  if (!delta.addresses_given) return;
  for (InterfaceView& view : master.snapshot.interfaces) view.addresses.clear();
  const auto& table = delta.addresses;
  for (size_t row = 0; row < table.interface.size(); row++) {
    master.snapshot.interfaces[table.interface[row]].addresses.push_back(
        {address_of(table.address, row), table.length[row]});
  }
  collect_own_addresses();
}

void ProgramState::State::collect_own_addresses() {
  auto& own = master.snapshot.own_addresses;
  own.clear();
  for (const InterfaceView& view : master.snapshot.interfaces) {
    for (const InterfaceAddress& entry : view.addresses) own.push_back(entry.address);
  }
  std::sort(own.begin(), own.end(), [](be32 a, be32 b) { return a.raw < b.raw; });
  own.erase(std::unique(own.begin(), own.end()), own.end());
}

void ProgramState::State::remove_route(be32 prefix, uint8_t length) {
  const auto found = master.routes.find(route_key(prefix, length));
  if (found == master.routes.end()) return;
  master.free_next_hops.push_back(found->second);
  master.routes.erase(found);
  changes.push_back({prefix, length, kNoNextHop});
}

// Every route has a next hop of its own, so that a route that only changes its way does not touch
// the route table.
void ProgramState::State::apply_routes(const ProgramDelta& delta) {
  for (size_t row = 0; row < delta.removedRoutes.length.size(); row++) {
    remove_route(address_of(delta.removedRoutes.prefix, row), delta.removedRoutes.length[row]);
  }
  const auto& table = delta.routes;
  auto& next_hops = master.snapshot.next_hops;
  for (size_t row = 0; row < table.length.size(); row++) {
    NextHop hop;
    hop.interface = table.interface[row];
    hop.gateway = address_of(table.gateway, row);
    std::memcpy(hop.mac, &table.mac[6 * row], 6);
    hop.has_mac = std::any_of(hop.mac, hop.mac + 6, [](uint8_t byte) { return byte != 0; });

    const be32 prefix = address_of(table.prefix, row);
    const uint64_t key = route_key(prefix, table.length[row]);
    const auto existing = master.routes.find(key);
    if (existing != master.routes.end()) {
      next_hops[existing->second] = hop;
      continue;
    }
    auto index = static_cast<uint32_t>(next_hops.size());
    if (master.free_next_hops.empty()) {
      next_hops.push_back(hop);
    } else {
      index = master.free_next_hops.back();
      master.free_next_hops.pop_back();
      next_hops[index] = hop;
    }
    master.routes.emplace(key, index);
    changes.push_back({prefix, table.length[row], index});
  }
}

void ProgramState::State::bring_up_to_date(RouteTable& table) const {
  for (const RouteChange& change : changes) {
    const bool done = change.next_hop == kNoNextHop
                          ? table.remove(change.prefix, change.length)
                          : table.put(change.prefix, change.length, change.next_hop);
    if (done) continue;
    // The delta was checked and the table has room for the limit: its memory must be corrupt.
    std::fprintf(stderr, "sluice: route table out of step with the program\n");
    std::abort();
  }
}

std::unique_ptr<Snapshot> ProgramState::State::publish() {
  if (!changes.empty()) {
    active ^= 1;
    bring_up_to_date(*tables[active]);
  }
  master.snapshot.routes = tables[active].get();
  master.snapshot.generation++;
  return std::make_unique<Snapshot>(master.snapshot);
}

ProgramState::ProgramState(const Limits& limits, const std::atomic<bool>* up)
    : state_(std::make_unique<State>(limits, up)) {}

ProgramState::~ProgramState() = default;

Status ProgramState::open() {
  for (auto& table : state_->tables) {
    table = RouteTable::create(state_->master.limits.routes);
    if (table == nullptr) {
      return Error{"ERR_ENGINE",
                   "no memory for a route table of " +
                       std::to_string(state_->master.limits.routes) +
                       " routes; raise `memory` or lower `mbufs`",
                   "memory"};
    }
  }
  return {};
}

Status ProgramState::check(const ProgramDelta& delta) const {
  return check_delta(delta, state_->master);
}

std::unique_ptr<Snapshot> ProgramState::build(const ProgramDelta& delta) {
  settle();
  state_->apply_pools(delta);
  state_->apply_frontends(delta);
  state_->apply_addresses(delta);
  state_->apply_routes(delta);
  return state_->publish();
}

void ProgramState::settle() {
  if (state_->changes.empty()) return;
  state_->bring_up_to_date(*state_->tables[state_->active ^ 1]);
  state_->changes.clear();
}

std::unique_ptr<Snapshot> ProgramState::add_interface(uint16_t slot, const uint8_t mac[6],
                                                      uint16_t mtu) {
  settle();
  InterfaceView& view = state_->master.snapshot.interfaces[slot];
  view = {};
  view.present = true;
  std::memcpy(view.mac, mac, 6);
  view.mtu = mtu;
  view.up = &state_->up[slot];
  return state_->publish();
}

std::unique_ptr<Snapshot> ProgramState::remove_interface(uint16_t slot) {
  settle();
  Master& master = state_->master;
  master.snapshot.interfaces[slot] = {};
  state_->collect_own_addresses();
  std::vector<uint64_t> over_it;
  for (const auto& [key, next_hop] : master.routes) {
    if (master.snapshot.next_hops[next_hop].interface == slot) over_it.push_back(key);
  }
  for (uint64_t key : over_it) {
    state_->remove_route({static_cast<uint32_t>(key >> 8)}, static_cast<uint8_t>(key));
  }
  return state_->publish();
}

}  // namespace sluice
