// SPDX-License-Identifier: Apache-2.0
#include "engine/publish.h"

#include <rte_pause.h>
#include <rte_rcu_qsbr.h>
#include <time.h>

#include <cstdlib>
#include <new>

namespace sluice {
namespace {

// A poll is over within this many looks, some hundred microseconds, where the worker has a CPU. One
// that shares ours gets it when we sleep.
constexpr uint32_t kLooks = 2'000;
constexpr timespec kPause{0, 20'000};

}  // namespace

Publisher::Publisher(uint32_t readers, std::unique_ptr<World> first) : current_(first.release()) {
  const size_t size = rte_rcu_qsbr_get_memsize(readers);
  rcu_ = static_cast<rte_rcu_qsbr*>(std::aligned_alloc(RTE_CACHE_LINE_SIZE, size));
  if (!rcu_ || rte_rcu_qsbr_init(rcu_, readers) != 0) throw std::bad_alloc();
}

Publisher::~Publisher() {
  delete current_.load();
  std::free(rcu_);
}

void Publisher::publish(std::unique_ptr<World> next) {
  const World* previous = current_.exchange(next.release(), std::memory_order_acq_rel);
  quiesce();
  delete previous;
}

void Publisher::quiesce() {
  // What was published is seen before we look who is reading; a worker that wakes does the same the
  // other way round.
  std::atomic_thread_fence(std::memory_order_seq_cst);
  const uint64_t token = rte_rcu_qsbr_start(rcu_);
  for (uint32_t looks = 0; rte_rcu_qsbr_check(rcu_, token, false) == 0; looks++) {
    if (looks < kLooks) {
      rte_pause();
    } else {
      clock_nanosleep(CLOCK_MONOTONIC, 0, &kPause, nullptr);
    }
  }
  step_lock();  // a step that began before has ended
}

}  // namespace sluice
