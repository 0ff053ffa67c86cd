// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/counters.h"

namespace sluice {

// Memory of all counters. Outlives the engine for as long as somebody looks at it.
class CounterRegion {
 public:
  CounterRegion(const Limits& limits);
  ~CounterRegion();
  CounterRegion(const CounterRegion&) = delete;
  CounterRegion& operator=(const CounterRegion&) = delete;
  uint64_t* data() const { return data_; }
  size_t bytes() const { return bytes_; }
  const CounterLayout layout;
  CounterBlock block(uint32_t worker) const {
    return {data_ + static_cast<size_t>(worker) * layout.stride, layout};
  }

 private:
  size_t bytes_;
  uint64_t* data_;
};

}  // namespace sluice
