// SPDX-License-Identifier: Apache-2.0
// Theory of operation. The station that a frame goes to next, and the frame's wait for its MAC
// (docs/packet-path.md, "neighbour").
#pragma once

#include <optional>

#include "packet/burst.h"
#include "stage/context.h"

namespace sluice {

struct Station {
  Address address;
  const uint8_t* mac;    // that the route was given; null: the neighbour's
  Neighbour* neighbour;  // null: none, or not needed
};
// Of a packet to `destination` whose route has this next hop.
Station station_of(const NextHop& hop, const Address& destination, const Context& context);

// What is known of a station's MAC. Fresh: the route's, or the neighbour has told it lately.
enum class StationMac : uint8_t { unknown, stale, fresh };

// Writes the source MAC and, where it is known, the destination MAC; asks for what is stale.
StationMac reach(uint8_t* frame, const Station& station, uint16_t interface, Context& context);

// Why a packet cannot wait for a station that is not resolved; nothing: it can.
std::optional<DropReason> judge_hold(uint16_t interface, const Station& station,
                                     const Context& context);

// The frame waits, and the station is asked for. Or says why it cannot wait; it stays the caller's.
std::optional<DropReason> hold_frame(const Frame& frame, const Station& station, Context& context);

}  // namespace sluice
