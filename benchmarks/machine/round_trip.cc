// SPDX-License-Identifier: Apache-2.0
// How long a cache line takes from one CPU to another and back, in nanoseconds: `round_trip 0 1`.
// Virtual CPUs may be moved between cores that share a cache and cores that do not, and what two
// cores do with each other is twice as fast in the one case as in the other.
#include <sched.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <thread>
#include <vector>

namespace {

constexpr uint32_t kTrips = 2'000;
constexpr uint32_t kSamples = 51;

void pin_to(int cpu) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(cpu, &set);
  if (sched_setaffinity(0, sizeof(set), &set) != 0) {
    std::perror("sched_setaffinity");
    std::exit(1);
  }
}

alignas(64) std::atomic<uint32_t> ball{0};

// Odd values are the one side's to answer, even ones the other's.
void play(uint32_t first, uint32_t trips) {
  for (uint32_t i = 0; i < trips; ++i) {
    const uint32_t awaited = first + 2 * i;
    while (ball.load(std::memory_order_acquire) != awaited) {
    }
    ball.store(awaited + 1, std::memory_order_release);
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  std::thread other([cpu = std::atoi(argv[2])] {
    pin_to(cpu);
    play(1, kTrips * kSamples);
  });
  pin_to(std::atoi(argv[1]));
  std::vector<double> samples;
  for (uint32_t sample = 0; sample < kSamples; ++sample) {
    const auto begin = std::chrono::steady_clock::now();
    play(2 * sample * kTrips, kTrips);
    const std::chrono::duration<double, std::nano> taken = std::chrono::steady_clock::now() - begin;
    samples.push_back(taken.count() / kTrips);
  }
  other.join();
  // The median: in some of them the one thread waited for its CPU.
  std::nth_element(samples.begin(), samples.begin() + kSamples / 2, samples.end());
  std::printf("%.1f\n", samples[kSamples / 2]);
  return 0;
}
