// SPDX-License-Identifier: Apache-2.0
#include "table/tunnels.h"

#include <algorithm>

namespace sluice {
namespace {

enum class Fit : uint8_t { no, loose, exact };

Fit fit_of(const Tunnel& tunnel, uint16_t port, const TunnelLabel& label) {
  switch (tunnel.kind) {
    case TunnelKind::ipip:
      return Fit::exact;
    case TunnelKind::vxlan:
      return tunnel.port == port && tunnel.vni == label.key ? Fit::exact : Fit::no;
    case TunnelKind::gre:
      break;
  }
  if (label.has_key != (tunnel.key_mode != TunnelKey::none)) return Fit::no;
  if (!label.has_key) return Fit::exact;
  if (tunnel.key_mode == TunnelKey::flow) return Fit::loose;
  return tunnel.key == label.key ? Fit::exact : Fit::no;
}

const Tunnel* best_of(std::span<const Tunnel* const> tunnels, const Address* source, uint16_t port,
                      const TunnelLabel& label) {
  const Tunnel* loose = nullptr;
  for (const Tunnel* tunnel : tunnels) {
    if (source != nullptr && !tunnel->admits(*source)) continue;
    const Fit fit = fit_of(*tunnel, port, label);
    if (fit == Fit::exact) return tunnel;
    if (fit == Fit::loose && loose == nullptr) loose = tunnel;
  }
  return loose;
}

}  // namespace

bool Tunnel::admits(const Address& source) const {
  return peers.empty() || std::any_of(peers.begin(), peers.end(),
                                      [&](const Prefix<Ipv6>& peer) { return peer.holds(source); });
}

bool TunnelEnds::expect(const Address& source, uint16_t port) const {
  auto is_at = [&](const Tunnel* tunnel) { return tunnel->port == port; };
  return std::any_of(remote.begin(), remote.end(), is_at) ||
         std::any_of(open.begin(), open.end(),
                     [&](const Tunnel* tunnel) { return is_at(tunnel) && tunnel->admits(source); });
}

const Tunnel* TunnelEnds::find(const Address& source, uint16_t port,
                               const TunnelLabel& label) const {
  const Tunnel* found = best_of(remote, nullptr, port, label);
  return found != nullptr ? found : best_of(open, &source, port, label);
}

TunnelTable::TunnelTable(std::vector<std::shared_ptr<const Tunnel>> tunnels)
    : tunnels_(std::move(tunnels)) {
  for (const auto& tunnel : tunnels_) {
    groups_[{tunnel->kind, tunnel->local, tunnel->remote}].push_back(tunnel.get());
    smallest_mtu_ = std::min(smallest_mtu_, tunnel->mtu);
    if (tunnel->kind == TunnelKind::vxlan && !has_port(tunnel->port)) {
      ports_.push_back(tunnel->port);
    }
  }
}

std::span<const Tunnel* const> TunnelTable::group(const Key& key) const {
  const auto found = groups_.find(key);
  if (found == groups_.end()) return {};
  return found->second;
}

TunnelEnds TunnelTable::ends(TunnelKind kind, const Address& local, const Address& remote) const {
  return {group({kind, local, remote}), group({kind, local, {}})};
}

}  // namespace sluice
