// SPDX-License-Identifier: Apache-2.0
#include "engine/publish.h"

#include <rte_rcu_qsbr.h>

#include <cstdlib>
#include <new>

namespace sluice {

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
  rte_rcu_qsbr_synchronize(rcu_, RTE_QSBR_THRID_INVALID);
  step_lock();  // a step that began before has ended
}

}  // namespace sluice
