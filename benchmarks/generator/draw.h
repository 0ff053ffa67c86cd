// SPDX-License-Identifier: Apache-2.0
// Which flow comes next.
#pragma once

#include <cstdint>
#include <vector>

namespace sluice::generator {

class Draw {
 public:
  // `zipf`: exponent, 0 for evenly. `first`: flows begin there; for `fresh` they never come again.
  static Draw spread(uint32_t flows, double zipf, uint32_t seed);
  static Draw fresh(uint32_t first);

  uint32_t next() {
    if (table_.empty()) {
      const uint32_t flow = at_;
      at_ += step_;
      if (at_ >= end_) at_ -= end_;
      return flow;
    }
    const uint32_t flow = table_[at_];
    at_ = (at_ + 1) & static_cast<uint32_t>(table_.size() - 1);
    return flow;
  }

 private:
  Draw(uint32_t at, uint32_t step, uint32_t end) : at_(at), step_(step), end_(end) {}

  uint32_t at_, step_, end_;
  std::vector<uint32_t> table_;
};

}  // namespace sluice::generator
