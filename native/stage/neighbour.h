// SPDX-License-Identifier: Apache-2.0
// Theory of operation. Gives a routed packet its MAC addresses. Where the next hop is not resolved,
// the packet is held and the next hop asked for; the walk over held packets, once a poll, sends or
// drops them (docs/packet-path.md, "neighbour").
#pragma once

#include "packet/burst.h"
#include "stage/hold.h"

namespace sluice {

template <class F>
void run_neighbour(Burst& burst, Context& context);

// Who a routed packet goes to next.
template <class F>
Station find_station(const Packet& packet, const Context& context);

// The walk: once a poll, in order of arrival.
void walk_held(Context& context);

// A held packet leaves the queue, whichever way.
void let_go(const HeldPacket& held, Context& context);

}  // namespace sluice
