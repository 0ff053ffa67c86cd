// SPDX-License-Identifier: Apache-2.0
#include "testing/bench_team.h"

#include <pthread.h>
#include <sched.h>
#include <time.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <thread>

#include "base/spin.h"

namespace sluice {
namespace {

void pin(int cpu) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(cpu, &set);
  if (pthread_setaffinity_np(pthread_self(), sizeof(set), &set) != 0) {
    std::fprintf(stderr, "no thread may run on CPU %d\n", cpu);
    std::abort();
  }
}

std::vector<int> allowed_cpus() {
  cpu_set_t set;
  std::vector<int> cpus;
  if (sched_getaffinity(0, sizeof(set), &set) != 0) return cpus;
  for (int cpu = 0; cpu < CPU_SETSIZE; cpu++) {
    if (CPU_ISSET(cpu, &set)) cpus.push_back(cpu);
  }
  return cpus;
}

double seconds_of(clockid_t clock) {
  timespec now{};
  clock_gettime(clock, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

}  // namespace

const std::vector<int>& usable_cpus() {
  static const std::vector<int> cpus = allowed_cpus();
  return cpus;
}

BenchTeam::BenchTeam(BenchWorld& world) {
  for (uint32_t i = 0; i < world.options.workers; i++) {
    workers_.push_back(std::make_unique<BenchWorker>(world, i));
  }
}

bool BenchTeam::has_forwarded_all() const {
  return std::all_of(workers_.begin(), workers_.end(),
                     [](const auto& worker) { return worker->has_forwarded_all(); });
}

BenchTeam::Rate BenchTeam::rate(uint32_t count, const std::function<uint64_t(uint32_t)>& work) {
  std::atomic<uint32_t> ready{0};
  std::vector<std::thread> threads;
  std::vector<Rate> rates(count);
  for (uint32_t i = 0; i < count; i++) {
    threads.emplace_back([&, i] {
      pin(usable_cpus().at(i));
      ready.fetch_add(1);
      while (ready.load() < count) spin_pause();
      const double wall = seconds_of(CLOCK_MONOTONIC), cpu = seconds_of(CLOCK_THREAD_CPUTIME_ID);
      const auto packets = static_cast<double>(work(i));
      const double ran = seconds_of(CLOCK_THREAD_CPUTIME_ID) - cpu;
      rates[i] = {packets / ran, ran / (seconds_of(CLOCK_MONOTONIC) - wall)};
    });
  }
  for (std::thread& thread : threads) thread.join();
  Rate all{0, 1};
  for (const Rate& rate : rates) {
    all = {all.packets + rate.packets, std::min(all.busy, rate.busy)};
  }
  return all;
}

}  // namespace sluice
