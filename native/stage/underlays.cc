// SPDX-License-Identifier: Apache-2.0
#include "stage/underlays.h"

#include <cstring>

#include "stage/context.h"

namespace sluice {
namespace {

uint32_t route_to(const Address& remote, const Snapshot& snapshot) {
  return remote.is_ipv4() ? snapshot.v4.routes->lookup(Ipv4::from(remote))
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

const Adjacency* look_up(const Address& remote, Context& context) {
  const uint32_t next_hop = route_to(remote, *context.snapshot);
  if (next_hop == kNoNextHop) return nullptr;
  const uint16_t number = adjacency_of(next_hop, remote, context);
  if (number == kNoAdjacency) return nullptr;
  const Adjacency& found = context.adjacencies.at(number, context);
  const bool usable = found.mtu != 0 && !context.snapshot->interfaces[found.interface].tunnel;
  return usable ? &found : nullptr;
}

}  // namespace

// A route has one next hop: the entropy has nothing to choose from.
const Underlays::Way& Underlays::towards(const Tunnel& tunnel, uint32_t, Context& context) {
  if (tunnel.slot >= ways_.size()) ways_.resize(context.limits->interfaces);
  Way& way = ways_[tunnel.slot];
  if (way.burst != context.adjacencies.burst()) {
    way.burst = context.adjacencies.burst();
    way.header = make_outer_header(tunnel);
    const Adjacency* adjacency = look_up(tunnel.remote, context);
    way.mtu = adjacency != nullptr ? adjacency->mtu : 0;
    if (adjacency != nullptr) {
      way.interface = adjacency->interface;
      std::memcpy(way.header.ethernet(), adjacency->addresses, sizeof(adjacency->addresses));
    }
  }
  return way;
}

}  // namespace sluice
