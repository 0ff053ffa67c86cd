// SPDX-License-Identifier: Apache-2.0
// Theory of operation. Workers read one World through one atomic pointer, taken at the top of each
// poll, which is where they report quiescence (rte_rcu_qsbr); one that sleeps is offline, and takes
// it when it wakes. publish() stores the next World, waits until every worker has been at the top
// of its poll once more, or sleeps, and frees the previous one: all of a commit becomes visible to
// a worker between two polls, and nothing that it reads ever changes. With the manual clock there
// are no worker threads; step_lock() takes the part of RCU then.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>

#include "engine/world.h"

struct rte_rcu_qsbr;

namespace sluice {

class Publisher {
 public:
  // `readers`: worker threads that will register, plus the control thread as the last one.
  Publisher(uint32_t readers, std::unique_ptr<World> first);
  ~Publisher();
  Publisher(const Publisher&) = delete;
  Publisher& operator=(const Publisher&) = delete;

  // Control thread.
  void publish(std::unique_ptr<World> next);
  void quiesce();  // returns when every worker has begun another poll, or sleeps
  // Any reader, between two quiescent states. Pairs with the store in publish().
  const World* current() const { return current_.load(std::memory_order_acquire); }

  rte_rcu_qsbr* rcu() { return rcu_; }
  std::unique_lock<std::mutex> step_lock() { return std::unique_lock(step_mutex_); }

 private:
  std::atomic<const World*> current_;
  rte_rcu_qsbr* rcu_;
  // Apart from what workers read at each poll: every wait for quiescence writes it.
  alignas(kCacheLine) std::mutex step_mutex_;
};

}  // namespace sluice
