// SPDX-License-Identifier: Apache-2.0
#include "stage/underlays.h"

#include <cstring>

#include "stage/context.h"

namespace sluice {
namespace {

uint32_t group_towards(const Address& remote, const Snapshot& snapshot) {
  const bool is_ipv4 = remote.is_ipv4();
  // The kernel of this node is no way to the other end.
  if (is_ipv4 ? snapshot.is_host<Ipv4>(Ipv4::from(remote)) : snapshot.is_host<Ipv6>(remote)) {
    return kNoRoute;
  }
  return is_ipv4 ? snapshot.v4.routes->lookup(Ipv4::from(remote))
                 : snapshot.v6.routes->lookup(remote);
}

uint16_t adjacency_of(uint32_t next_hop, const Address& remote, const Context& context) {
  const NextHop& hop = context.snapshot->next_hops[next_hop];
  if (hop.has_mac) return Adjacencies::of_next_hop(next_hop);
  const Address& station = hop.gateway.is_zero() ? remote : hop.gateway;
  const Neighbour* neighbour = context.neighbours->find(hop.interface, station);
  return neighbour == nullptr ? kNoAdjacency
                              : Adjacencies::of_neighbour(*context.neighbours, *neighbour);
}

const Adjacency* look_up(uint32_t group, const Address& remote, uint32_t entropy,
                         Context& context) {
  const uint32_t next_hop = context.snapshot->choose(group, entropy).next_hop;
  const uint16_t number = adjacency_of(next_hop, remote, context);
  if (number == kNoAdjacency) return nullptr;
  const Adjacency& found = context.adjacencies.at(number, context);
  const bool usable = found.mtu != 0 && !context.snapshot->interfaces[found.interface].tunnel;
  return usable ? &found : nullptr;
}

}  // namespace

void Underlays::lead(Way& way, const Tunnel& tunnel, uint32_t entropy, Context& context) {
  const Adjacency* adjacency =
      way.group == kNoRoute ? nullptr : look_up(way.group, tunnel.remote, entropy, context);
  way.mtu = adjacency != nullptr ? adjacency->mtu : 0;
  if (adjacency == nullptr) return;
  way.interface = adjacency->interface;
  std::memcpy(way.header.ethernet(), adjacency->addresses, sizeof(adjacency->addresses));
}

const Underlays::Way& Underlays::towards(const Tunnel& tunnel, uint32_t entropy, Context& context) {
  if (tunnel.slot >= ways_.size()) ways_.resize(context.limits->interfaces);
  Way& way = ways_[tunnel.slot];
  const Snapshot& snapshot = *context.snapshot;
  if (way.burst != context.adjacencies.burst()) {
    way.burst = context.adjacencies.burst();
    way.header = make_outer_header(tunnel);
    way.group = group_towards(tunnel.remote, snapshot);
    way.several = way.group != kNoRoute && snapshot.groups[way.group].choice != nullptr;
    if (!way.several) lead(way, tunnel, entropy, context);
  }
  if (way.several) lead(way, tunnel, entropy, context);
  return way;
}

}  // namespace sluice
