// SPDX-License-Identifier: Apache-2.0
// Theory of operation. Says what would become of a frame, by the very functions that the stages
// decide with, on a copy of the frame: no table, counter, neighbour, budget or fragment record
// changes. Whether the flow table has room it does not ask: making room is part of making a flow.
// Called by whoever owns the context. The twin of Explanation in lib/engine/engine.ts.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "stage/context.h"

namespace sluice {

struct Explanation {
  enum class Outcome : uint8_t { forward, answer, host, drop, hold };
  enum class Direction : uint8_t { forward, reply, related };
  struct Tuple {
    Address source, destination;
    uint16_t source_port, destination_port;
    uint8_t protocol;
  };
  struct Flow {
    Direction direction;
    FlowState state;
  };
  struct Route {
    uint16_t interface;
    std::optional<Address> gateway;
    std::optional<std::array<uint8_t, 6>> mac;
  };
  struct NextStation {
    Address address;
    std::optional<std::array<uint8_t, 6>> mac;
  };
  struct Carrier {
    uint16_t interface;
    Address remote;
    std::optional<std::array<uint8_t, 6>> neighbour;
  };

  Outcome fate = Outcome::forward;
  std::optional<DropReason> reason;  // where fate is drop
  bool rejected = false;             // the sender would be told
  std::optional<Tuple> tuple;        // as received; nothing where parse, arp or nd was its end
  std::optional<Scope> scope;        // where a frontend was found
  std::optional<Flow> flow;
  std::optional<uint32_t> frontend, pool;  // slots
  std::optional<uint32_t> maglev_slot;     // nothing where affinity chose
  bool affinity = false;
  std::optional<uint32_t> backend;           // slot, of a flow or newly chosen
  std::optional<Judgement> egress, ingress;  // of the policy, where it was asked and came so far
  bool masquerade = false;
  std::optional<Tuple> rewrite;  // as it leaves; ports of an ICMP error are 0
  std::optional<Route> route;
  std::optional<NextStation> neighbour;
  std::optional<uint16_t> tunnel;  // slot of the tunnel that it came by, in another packet
  std::optional<Carrier> encap;    // where it leaves in another packet
};

// A frame that comes in by `interface`.
Explanation explain(const Context& context, uint16_t interface, const uint8_t* frame,
                    uint32_t length);

}  // namespace sluice
