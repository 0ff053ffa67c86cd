// SPDX-License-Identifier: Apache-2.0
#include "engine/worker_load.h"

#include <numeric>
#include <tuple>

namespace sluice {
namespace {

constexpr uint64_t kSmoothing = 8;  // samples; there are 20 a second

}  // namespace

void WorkerLoad::sample(const std::vector<uint64_t>& packets, uint64_t now_ms) {
  const uint64_t elapsed = now_ms - sampled_ms_;
  if (elapsed == 0) return;
  const bool first = sampled_ms_ == 0;
  sampled_ms_ = now_ms;
  for (size_t worker = 0; worker < loads_.size(); ++worker) {
    Load& load = loads_[worker];
    const uint64_t rate = (packets[worker] - load.packets) * 1000 / elapsed;
    load.packets = packets[worker];
    if (!first) load.rate = (load.rate * (kSmoothing - 1) + rate) / kSmoothing;
  }
}

uint32_t WorkerLoad::pick(const std::vector<uint32_t>& queues) {
  const auto rank = [&](uint32_t worker) {
    return std::tuple(loads_[worker].rate / kStep, queues[worker]);
  };
  uint32_t picked = 0;
  for (uint32_t worker = 1; worker < loads_.size(); ++worker) {
    if (rank(worker) < rank(picked)) picked = worker;
  }
  const uint64_t rates =
      std::accumulate(loads_.begin(), loads_.end(), uint64_t{0},
                      [](uint64_t sum, const Load& load) { return sum + load.rate; });
  const uint64_t all = std::accumulate(queues.begin(), queues.end(), uint64_t{0});
  if (all != 0) loads_[picked].rate += rates / all;
  return picked;
}

}  // namespace sluice
