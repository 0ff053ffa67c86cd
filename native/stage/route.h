// SPDX-License-Identifier: Apache-2.0
// Theory of operation. Time to live, longest-prefix match, and whether the packet fits the egress
// interface (docs/packet-path.md, "route").
#pragma once

#include "packet/burst.h"
#include "stage/context.h"

namespace sluice {

template <class F>
void run_route(Burst& burst, Context& context);

// One packet. Fills in next_hop where there is a route, whatever else it meets; else kNoNextHop.
template <class F>
void route_packet(Packet& packet, const Snapshot& snapshot);

}  // namespace sluice
