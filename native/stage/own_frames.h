// SPDX-License-Identifier: Apache-2.0
// Theory of operation. Packets that do not go through route and neighbour and yet need a way: those
// that carry others (stage/encap), and answers to what came in by a tunnel that has no stations.
// They are routed by their destination, their TTL stays, and nobody is told of their end
// (docs/packet-path.md, "encap", "Answers").
#pragma once

#include <optional>

#include "packet/burst.h"
#include "stage/context.h"

namespace sluice {

// Whether the way may be a tunnel: that of a packet that carries another one may not.
enum class OwnFrame : uint8_t { answer, carrier };

struct OwnRoute {
  std::optional<DropReason> refused;
  uint32_t next_hop;  // index into the snapshot's next hops; kNoNextHop: there is no route
};
// The frame is whole but for its MACs. `entropy` chooses where a route has several next hops.
OwnRoute route_own(const uint8_t* frame, uint32_t length, OwnFrame what, uint32_t entropy,
                   const Snapshot& snapshot);

struct OwnWay {
  enum class Verdict : uint8_t { send, held, refused } verdict;
  DropReason reason;  // where it is refused
};
// Gives the frame its interface and MACs; without a MAC of the next hop it is held, and the next
// hop asked for.
OwnWay find_own_way(Frame& frame, OwnFrame what, Context& context);

// An answer that lies in place of `packet`. Where it came in by a tunnel without stations, it is
// routed; else nothing is done, and its interface and MACs stay.
void route_answer(Packet& packet, Context& context);

// A frame of our own that answers `packet` leaves behind the burst: to the station that the packet
// came from, as it is, or routed.
void originate_answer(Frame& frame, const Packet& packet, Context& context);

}  // namespace sluice
