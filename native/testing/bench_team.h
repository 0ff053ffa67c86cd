// SPDX-License-Identifier: Apache-2.0
// Workers of one world, each on a thread and a CPU of its own, that run at the same time.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "testing/bench_worker.h"

namespace sluice {

// CPUs that this process may use. To be asked before the first world is made: the EAL pins the
// thread that starts it, and what is made by that thread.
const std::vector<int>& usable_cpus();

class BenchTeam {
 public:
  // As many as the world has been made for.
  explicit BenchTeam(BenchWorld& world);

  BenchWorker& worker(uint32_t index) { return *workers_[index]; }
  uint32_t size() const { return static_cast<uint32_t>(workers_.size()); }
  bool has_forwarded_all() const;

  struct Rate {
    double packets;  // in a second of CPU time, of all workers together
    double busy;     // CPU time by wall time of the worker that was held up most
  };
  // Runs `work(index)` of the first `count` workers, each pinned to a CPU of its own; all begin
  // together. `work` returns how many packets it has carried. CPU time, so that other processes do
  // not count; where they leave less than nearly all of it, workers have not run side by side.
  Rate rate(uint32_t count, const std::function<uint64_t(uint32_t)>& work);

 private:
  std::vector<std::unique_ptr<BenchWorker>> workers_;
};

}  // namespace sluice
