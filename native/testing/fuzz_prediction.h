// SPDX-License-Identifier: Apache-2.0
// Holds `explain` to the path: what it says of a frame is what becomes of it, and asking changes
// nothing.
#pragma once

#include <vector>

#include "stage/explain.h"
#include "testing/world.h"

namespace sluice {

class FuzzPrediction {
 public:
  // Nothing else may be waiting in the world, and its outside takes everything.
  static bool is_possible(const World& world);

  FuzzPrediction(const World& world, uint16_t interface, const Bytes& frame);
  // After the poll of that frame alone, before anybody takes what was sent.
  void check(const World& world) const;

 private:
  // By how much a counter has.
  uint64_t grown(const World& world, WorkerCounter which) const;
  uint64_t grown(const World& world, DropReason reason) const;
  void check_drop(const World& world) const;
  void check_forward(const World& world) const;

  std::vector<uint64_t> before_;  // counters
  Explanation said_;
};

}  // namespace sluice
