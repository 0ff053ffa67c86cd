// SPDX-License-Identifier: Apache-2.0
// What a benchmark reports besides its time: TSC clocks for each packet (or operation). `clocks` is
// the median over the bursts, which a neighbour on the machine cannot spoil; `mean` has all of it.
#pragma once

#include <benchmark/benchmark.h>

#include <algorithm>
#include <string>
#include <utility>
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

// Registers a benchmark that sets the time of its iterations, with the least and the greatest of
// its repetitions besides what Google Benchmark has (median and others).
template <class Run>
void add_timed(const std::string& name, Run&& run) {
  using Values = std::vector<double>;
  benchmark::RegisterBenchmark(name.c_str(), std::forward<Run>(run))
      ->UseManualTime()
      ->ComputeStatistics("min",
                          [](const Values& v) { return *std::min_element(v.begin(), v.end()); })
      ->ComputeStatistics("max",
                          [](const Values& v) { return *std::max_element(v.begin(), v.end()); });
}

// Times `whole()` as one iteration of `per` operations, and reports clocks of one of them.
// `prepare()` goes before every iteration, untimed.
template <class Prepare, class Whole>
void time_whole(benchmark::State& state, uint32_t per, Prepare&& prepare, Whole&& whole) {
  BenchClocks clocks(per);
  for (auto _ : state) {
    prepare();
    const uint64_t begin = __rdtsc();
    whole();
    state.SetIterationTime(clocks.add(__rdtsc() - begin));
  }
  clocks.report(state);
}

inline constexpr uint32_t kBenchBatch = 64;

// The same of `each(0)` to `each(kBenchBatch - 1)`.
template <class Prepare, class Each>
void time_each(benchmark::State& state, Prepare&& prepare, Each&& each) {
  time_whole(state, kBenchBatch, prepare, [&] {
    for (uint32_t i = 0; i < kBenchBatch; i++) each(i);
  });
}

}  // namespace sluice
