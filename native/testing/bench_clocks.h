// SPDX-License-Identifier: Apache-2.0
// What a benchmark reports besides its time: TSC clocks for each packet (or operation). `clocks` is
// the median over the bursts, which a neighbour on the machine cannot spoil; `mean` has all of it.
#pragma once

#include <benchmark/benchmark.h>

#include <algorithm>
#include <vector>

#include "testing/bench_tsc.h"

namespace sluice {

class BenchClocks {
 public:
  // `per`: packets or operations in one sample.
  explicit BenchClocks(uint32_t per) : per_(per) { samples_.reserve(kMaxSamples); }

  // Returns the seconds, for SetIterationTime.
  double add(uint64_t clocks) {
    total_ += clocks;
    count_++;
    if (samples_.size() < kMaxSamples) samples_.push_back(static_cast<uint32_t>(clocks));
    return static_cast<double>(clocks) / tsc_rate();
  }

  void report(benchmark::State& state) {
    if (count_ == 0) return;
    const auto middle = samples_.begin() + static_cast<ptrdiff_t>(samples_.size() / 2);
    std::nth_element(samples_.begin(), middle, samples_.end());
    state.counters["clocks"] = static_cast<double>(*middle) / per_;
    state.counters["mean"] = static_cast<double>(total_) / static_cast<double>(count_) / per_;
  }

 private:
  static constexpr size_t kMaxSamples = 1 << 20;

  const uint32_t per_;
  std::vector<uint32_t> samples_;
  uint64_t total_ = 0, count_ = 0;
};

// Spread over the repetitions: min and max, besides what Google Benchmark has (median and others).
inline void with_spread(benchmark::internal::Benchmark* made) {
  made->ComputeStatistics(
      "min", [](const std::vector<double>& v) { return *std::min_element(v.begin(), v.end()); });
  made->ComputeStatistics(
      "max", [](const std::vector<double>& v) { return *std::max_element(v.begin(), v.end()); });
}

}  // namespace sluice
