// SPDX-License-Identifier: Apache-2.0
// How much each worker has had to do lately, and so which one gets the next interface.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace sluice {

class WorkerLoad {
 public:
  explicit WorkerLoad(uint32_t workers) : loads_(workers) {}

  // `packets`: that each worker has handled so far. The first call only notes them.
  void sample(const std::vector<uint64_t>& packets, uint64_t now_ms);
  // The worker with the lowest rate, in steps of kStep so that an idle node's odd packet decides
  // nothing; then with the fewest `queues`; then the first. What a queue carries on average is
  // added to its rate until it is measured: interfaces that come together do not all go to one.
  uint32_t pick(const std::vector<uint32_t>& queues);

  static constexpr uint64_t kStep = 1000;  // packets a second

 private:
  struct Load {
    uint64_t packets = 0;
    uint64_t rate = 0;  // packets a second, smoothed over about half a second
  };
  std::vector<Load> loads_;
  uint64_t sampled_ms_ = 0;
};

}  // namespace sluice
