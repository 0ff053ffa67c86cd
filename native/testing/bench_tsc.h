// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <x86intrin.h>

#include <chrono>

namespace sluice {

// TSC clocks in a second, by the steady clock. Takes 20 ms when it is first asked.
inline double tsc_rate() {
  static const double rate = [] {
    using Clock = std::chrono::steady_clock;
    const auto begin = Clock::now();
    const uint64_t first = __rdtsc();
    while (Clock::now() - begin < std::chrono::milliseconds(20)) continue;
    const uint64_t clocks = __rdtsc() - first;
    return static_cast<double>(clocks) /
           std::chrono::duration<double>(Clock::now() - begin).count();
  }();
  return rate;
}

}  // namespace sluice
