// SPDX-License-Identifier: Apache-2.0
// What the stages work with besides the burst. Everything that has an outside (time, memory for
// frames, the way out) is passed in, so that the path runs in a unit test. One per worker, owned by
// it.
#pragma once

#include <cstdint>
#include <vector>

#include "base/counters.h"
#include "base/limits.h"
#include "config/snapshot.h"
#include "packet/burst.h"
#include "table/flow_table.h"
#include "table/neighbours.h"

namespace sluice {

// A buffer of the engine's: `handle` is opaque to the stages.
struct Frame {
  void* handle = nullptr;
  uint8_t* data = nullptr;
  uint32_t length = 0;
  uint16_t interface = 0;  // egress
};

// The engine's side of a worker: buffers and interfaces.
class Outside {
 public:
  virtual ~Outside() = default;
  // An empty frame with room for at least 64 bytes; handle null: out of buffers.
  virtual Frame allocate() = 0;
  virtual void free(void* handle) = 0;
  // Sends frames in order; returns how many (a prefix) the interface took over. The rest stays the
  // caller's. `handed_over`: out, how many of the taken ones went to another worker's ring instead.
  virtual uint32_t send(uint16_t interface, const Frame* frames, uint32_t count,
                        uint32_t* handed_over) = 0;
  // The reason for what send did not take: tx_full, handoff_full or interface_removed.
  virtual DropReason refusal(uint16_t interface) = 0;
};

// A packet that waits for its neighbour.
struct HeldPacket {
  Frame frame;
  be32 next_hop;
  uint64_t since_ms;
};

inline constexpr uint32_t kHeldPerNeighbour = 16;
inline constexpr uint32_t kHeldPerWorker = 1024;
inline constexpr uint32_t kSweepPairs = 64;

struct Context {
  uint32_t worker = 0;
  const Snapshot* snapshot = nullptr;  // for this poll
  uint64_t now_ms = 0;
  uint32_t now_s = 0;
  FlowTable* flows = nullptr;
  FlowCache flow_cache;
  NeighbourTable* neighbours = nullptr;
  CounterBlock counters;
  Outside* outside = nullptr;
  std::vector<HeldPacket> held;   // in order of arrival
  std::vector<Frame> originated;  // made by the current burst or walk
};

}  // namespace sluice
