// SPDX-License-Identifier: Apache-2.0
// One worker: its context, its poll, and its way to buffers and interfaces. Everything in it
// belongs to the thread that polls: a pinned lcore, or with the manual clock whoever calls step()
// under the step lock.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>

#include "engine/publish.h"
#include "packet/burst.h"
#include "stage/context.h"

struct rte_mbuf;
struct rte_mempool;

namespace sluice {

// What all workers share.
struct Tables {
  explicit Tables(const Limits& limits);  // throws std::bad_alloc

  FlowTable<Ipv4> flows4;
  FlowTable<Ipv6> flows6;
  AffinityTable affinities;
  NeighbourTable neighbours;
};

// On cache lines of its own: workers are made one after the other.
class alignas(kCacheLine) Worker final : public Outside {
 public:
  // Something that only who polls may do with the context.
  using Task = std::function<void(Context&)>;

  // `limits` and `tables` outlive the worker.
  Worker(uint32_t index, Publisher& publisher, rte_mempool* pool, const Limits& limits,
         Tables& tables, CounterBlock counters);
  ~Worker() override;

  // Takes its queues in slot order, a burst each; then handed-over packets; then housekeeping.
  // Returns the number of packets received and taken over.
  uint32_t poll(uint64_t now_ms);
  // Polls until stop(), reporting quiescence at the top of each poll. The lcore's main function.
  void run();
  void stop() { stopping_.store(true, std::memory_order_release); }
  // Leaves a task to the next poll. It must live until it is done. Control thread, one at a time.
  void leave(const Task* task) { task_.store(task, std::memory_order_release); }
  bool is_asked() const { return task_.load(std::memory_order_acquire) != nullptr; }
  // Does it at once. For whoever may poll.
  void perform(const Task& task, uint64_t now_ms);
  // Drops what other workers have left for this one, of an interface that is gone from the world.
  void drop_under_way(Interface& interface);

  Frame allocate() override;
  void free(void* handle) override;
  bool make_room(Frame& frame, uint32_t bytes) override;
  uint32_t send(uint16_t interface, const Frame* frames, uint32_t count,
                uint32_t* handed_over) override;
  DropReason refusal(uint16_t interface) override;

 private:
  void begin(uint64_t now_ms);
  void reclaim(FlowCache& cache);
  uint32_t receive(const Ingress& ingress);
  void run(Interface& interface, rte_mbuf** mbufs, uint32_t count);
  uint32_t transmit_handed_over(Interface& interface);
  uint32_t transmit(const Egress& egress, rte_mbuf** mbufs, uint32_t count);
  void drop_steered(Interface& interface);
  void drop_handed_over(Interface& interface);

  const uint32_t index_;
  Publisher& publisher_;
  rte_mempool* const pool_;
  const World* world_ = nullptr;  // for this poll
  Context context_;
  Burst burst_;
  uint64_t driver_clocks_ = 0;  // spent in rx and tx calls during this poll
  // The control thread's to write.
  alignas(kCacheLine) std::atomic<const Task*> task_{nullptr};
  std::atomic<bool> stopping_{false};
};

}  // namespace sluice
