// SPDX-License-Identifier: Apache-2.0
// Theory of operation. Gives a routed packet its MAC addresses. Where the next hop is not resolved,
// the packet is held and the next hop asked for; the walk over held packets, once a poll, sends or
// drops them (docs/packet-path.md, "neighbour").
#pragma once

#include <optional>

#include "packet/burst.h"
#include "stage/context.h"

namespace sluice {

template <class F>
void run_neighbour(Burst& burst, Context& context);

// Who a routed packet goes to next.
struct Station {
  Address address;
  const uint8_t* mac;    // that the route was given; null: the neighbour's
  Neighbour* neighbour;  // null: none, or not needed
};
template <class F>
Station find_station(const Packet& packet, const Context& context);

// Why a packet cannot wait for a station that is not resolved; nothing: it can.
std::optional<DropReason> judge_hold(uint16_t interface, const Station& station,
                                     const Context& context);

// The walk: once a poll, in order of arrival.
void walk_held(Context& context);

}  // namespace sluice
