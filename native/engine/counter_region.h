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
  // By anybody, at any time.
  uint64_t read(uint32_t worker, WorkerCounter which) const {
    return __atomic_load_n(data_ + size_t{worker} * layout.stride + static_cast<uint32_t>(which),
                           __ATOMIC_RELAXED);
  }
  CounterBlock block(uint32_t worker) const {
    return {data_ + static_cast<size_t>(worker) * layout.stride, layout};
  }

 private:
  size_t bytes_;
  uint64_t* data_;
};

}  // namespace sluice
