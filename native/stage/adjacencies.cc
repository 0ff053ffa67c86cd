// SPDX-License-Identifier: Apache-2.0
#include "stage/adjacencies.h"

#include <cstring>

#include "stage/context.h"

namespace sluice {
namespace {

// Known, and not to be asked for.
bool is_fresh(const Neighbour& neighbour, const Context& context) {
  return neighbour.usable(context.now_ms, context.neighbour_ages) &&
         !neighbour.stale(context.now_ms, context.neighbour_ages);
}

}  // namespace

Adjacencies::Adjacencies()
    : memory_(size_t{kNoAdjacency} * sizeof(Adjacency)),
      all_(static_cast<Adjacency*>(memory_.data())) {}

void Adjacencies::look_up(uint16_t number, const Context& context, Adjacency& adjacency) const {
  adjacency.burst = burst_;
  adjacency.mtu = 0;
  if (number < kFirstNextHop) {
    const Neighbour& neighbour = context.neighbours->at(number);
    adjacency.interface = neighbour.interface();
    if (!is_fresh(neighbour, context)) return;
    neighbour.copy_mac(adjacency.addresses);
  } else {
    const NextHop& hop = context.snapshot->next_hops[number - kFirstNextHop];
    adjacency.interface = hop.interface;
    std::memcpy(adjacency.addresses, hop.mac, sizeof(hop.mac));
  }
  const InterfaceView& egress = context.snapshot->interfaces[adjacency.interface];
  if (!egress.present || !egress.up->load(std::memory_order_relaxed)) return;
  std::memcpy(adjacency.addresses + 6, egress.mac, sizeof(egress.mac));
  adjacency.mtu = egress.mtu;
}

}  // namespace sluice
