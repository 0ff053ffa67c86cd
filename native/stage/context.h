// SPDX-License-Identifier: Apache-2.0
// What the stages work with besides the burst. Everything that has an outside (time, memory for
// frames, the way out) is passed in, so that the path runs in a unit test. One per worker, owned by
// it.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "base/counters.h"
#include "base/limits.h"
#include "config/snapshot.h"
#include "packet/burst.h"
#include "stage/adjacencies.h"
#include "stage/frame.h"
#include "stage/underlays.h"
#include "table/affinity.h"
#include "table/flow_table.h"
#include "table/fragments.h"
#include "table/neighbours.h"

namespace sluice {

// An ICMPv6 error: Ethernet, and what every link carries (RFC 8200, 5).
inline constexpr uint32_t kAllocatedRoom = 14 + 1280;

// The engine's side of a worker: buffers and interfaces.
class Outside {
 public:
  virtual ~Outside() = default;
  // An empty frame with room for at least kAllocatedRoom bytes; handle null: out of buffers.
  virtual Frame allocate() = 0;
  virtual void free(void* handle) = 0;
  // Makes room for `bytes` in front of the frame, which may have to move. False: there is none.
  virtual bool make_room(Frame& frame, uint32_t bytes) = 0;
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
  Address next_hop;
  uint64_t since_ms;
};

// Of one sweep; there is at most one in a millisecond of the clock, so that a busy worker does not
// spend its time, and its cache, on what is silent.
inline constexpr uint32_t kSweepPairs = 256;
inline constexpr uint32_t kSweepAffinities = 256;

// Resets and ICMP errors that may still be sent: tokens in thousandths, refilled with time.
struct RejectBudget {
  uint64_t tokens = 0;
  uint64_t filled_ms = 0;
  bool started = false;
};

struct Context {
  uint32_t worker = 0;
  const Limits* limits = nullptr;
  const Snapshot* snapshot = nullptr;  // for this poll
  uint64_t now_ms = 0;
  uint32_t now_s = 0;
  uint64_t swept_ms = UINT64_MAX;  // when it last swept; not yet
  FlowTable<Ipv4>* flows4 = nullptr;
  FlowTable<Ipv6>* flows6 = nullptr;
  FlowCache flow_cache4;
  FlowCache flow_cache6;
  AffinityTable* affinities = nullptr;
  uint32_t affinity_sweep_next = 0;
  NeighbourTable* neighbours = nullptr;
  NeighbourAges neighbour_ages;
  Adjacencies adjacencies;
  Underlays underlays;
  std::unique_ptr<FragmentTable> fragments;
  CounterBlock counters;
  Outside* outside = nullptr;
  RejectBudget budget;
  std::vector<HeldPacket> held;   // in order of arrival
  uint32_t held_own = 0;          // how many of them we have made: those have no fate
  std::vector<Frame> ready;       // that the walk over them has set free
  std::vector<Packet> released;   // fragments that the current burst has set free
  std::vector<Frame> originated;  // made by the current burst or walk

  template <class F>
  FlowTable<F>& flows() {
    if constexpr (F::kVersion == 4) {
      return *flows4;
    } else {
      return *flows6;
    }
  }
  template <class F>
  const FlowTable<F>& flows() const {
    return const_cast<Context*>(this)->flows<F>();
  }
  template <class F>
  FlowCache& flow_cache() {
    if constexpr (F::kVersion == 4) {
      return flow_cache4;
    } else {
      return flow_cache6;
    }
  }
  template <class F>
  const FlowCache& flow_cache() const {
    return const_cast<Context*>(this)->flow_cache<F>();
  }
};

}  // namespace sluice
