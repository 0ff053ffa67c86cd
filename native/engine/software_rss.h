// SPDX-License-Identifier: Apache-2.0
// Theory of operation. Receive-side scaling for an interface with one queue: the worker that has
// the queue receives and hands each frame to the worker that its hash names, through a ring of one
// producer and one consumer, a burst at a time. A flow's frames so stay with one worker and in
// order. What is no IP stays with the receiving worker. The worker that runs a frame through the
// stages counts it as received; one that finds no room counts where it was lost.
#pragma once

#include <cstdint>
#include <vector>

#include "base/counters.h"
#include "base/limits.h"
#include "engine/mbuf_ring.h"

struct rte_mbuf;

namespace sluice {

inline constexpr uint32_t kMostWorkers = 128;

// Its rings apart, nothing in it changes, so that workers do not disturb each other here.
class SoftwareRss {
 public:
  // Room for frames that wait for one worker.
  static constexpr uint32_t kRingFrames = 1024;

  // For the interface in `slot`, which `owner` receives from. Null: no memory.
  static std::unique_ptr<SoftwareRss> make(uint16_t slot, uint32_t owner, uint32_t workers);

  // Hands on what is other workers'; leaves what is the owner's at the beginning of `mbufs`, in
  // order, and returns its number. At most kMaxBurst. Owner only, with its counters.
  uint32_t spread(rte_mbuf** mbufs, uint32_t count, CounterBlock& counters) const;
  // Takes up to `most` frames that were handed to `worker`. That worker only.
  uint32_t take(uint32_t worker, rte_mbuf** mbufs, uint32_t most) const;
  // Who gets a frame.
  uint32_t worker_of(const uint8_t* frame, uint32_t length) const;

 private:
  SoftwareRss(uint16_t slot, uint32_t owner, uint32_t workers);
  void hand_on(uint32_t worker, rte_mbuf** mbufs, uint32_t count, CounterBlock& counters) const;

  const uint16_t slot_;
  const uint32_t owner_;
  std::vector<MbufRing> rings_;  // by worker; the owner has none
};

}  // namespace sluice
