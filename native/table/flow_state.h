// SPDX-License-Identifier: Apache-2.0
// What the packets of both sides make of a connection, and how long it may be silent then. The rule
// in full: docs/packet-path.md, "flow".
#pragma once

#include <cstdint>

#include "base/limits.h"

namespace sluice {

enum class FlowState : uint8_t {
  unreplied,
  syn_received,
  established,
  close_wait,
  time_wait,
  closed
};

// Both sides of a connection as far as its state depends on them.
struct FlowSides {
  uint8_t protocol;
  uint8_t forward_flags;
  uint8_t reply_flags;
  bool both_spoke;
  bool one_way = false;  // what the backend sends goes another way
};

FlowState flow_state(const FlowSides& sides);
// Seconds without a packet after which it has expired.
uint32_t flow_timeout(const Timeouts& timeouts, uint8_t protocol, FlowState state);
// The shortest of these in any state.
uint32_t least_timeout(const Timeouts& timeouts, uint8_t protocol);

}  // namespace sluice
