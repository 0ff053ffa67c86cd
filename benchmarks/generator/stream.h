// SPDX-License-Identifier: Apache-2.0
// Data frames in one direction: sent from one side, counted and looked at on the other.
#pragma once

#include <array>
#include <cstdint>

#include "generator/checker.h"
#include "generator/draw.h"
#include "generator/flight.h"
#include "generator/histogram.h"
#include "generator/port.h"
#include "generator/sizes.h"

namespace sluice::generator {

// What every run works with.
struct Rig {
  const Traffic& traffic;
  Port& client;
  Port& backend;
  Checker& checker;
};

class Stream {
 public:
  Stream(const Rig& rig, Direction direction, Draw draw);

  uint64_t sent() const { return flight_.sent(); }
  uint64_t received() const { return flight_.received(); }
  // Frames that wait for room in the ring.
  uint16_t waiting() const { return from_.waiting(); }

  // Makes `count` frames, at most kMostBurst, if there is room for them, and gives to the ring what
  // waits. Returns how many it made: all or none.
  uint16_t send(uint16_t count, uint32_t window, uint64_t now);
  // Takes a burst and looks at one frame of it; times all of them if there is a histogram.
  void receive(Histogram* latency = nullptr);
  // Receives what is still to come. Returns how many frames never came.
  uint64_t drain() {
    return flight_.drain([this] { receive(); });
  }

 private:
  void make(rte_mbuf** mbufs, uint16_t count, uint64_t stamp);
  void draw_ahead(uint16_t count);
  void time(rte_mbuf* const* mbufs, uint16_t count, Histogram& latency) const;

  const Direction direction_;
  Port& from_;
  Port& to_;
  Checker& checker_;
  const Flows flows_;
  const uint16_t burst_;
  const uint16_t tag_;  // where it begins in a frame
  DataFrames frames_;
  Draw draw_;
  // Drawn before they are needed, so that their backends are in the cache by then.
  std::array<uint32_t, kMostBurst> ahead_;
  Flight flight_;
};

}  // namespace sluice::generator
