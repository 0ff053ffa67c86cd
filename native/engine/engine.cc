// SPDX-License-Identifier: Apache-2.0
#include "engine/engine.h"

#include <rte_launch.h>
#include <rte_lcore.h>
#include <rte_mbuf.h>
#include <rte_rcu_qsbr.h>
#include <time.h>

#include <new>

namespace sluice {
namespace {

constexpr uint16_t kDataRoom = RTE_PKTMBUF_HEADROOM + 2048;
// What the stages may count on, of frames received and allocated alike.
static_assert(kDataRoom - RTE_PKTMBUF_HEADROOM >= kAllocatedRoom && kAllocatedRoom >= kMinimumRoom);

int worker_main(void* worker) {
  static_cast<Worker*>(worker)->run();
  return 0;
}

}  // namespace

Result<std::unique_ptr<Engine>> Engine::open(const EngineOptions& options, LinkSink on_link) {
  Result<EalFacts> eal = start_eal(options.hugepages, options.memory_mib);
  if (!eal.ok()) return eal.error();
  if (!options.manual_clock && options.limits.workers > eal.value().worker_lcores) {
    return Error{"ERR_OPTIONS",
                 "there are " + std::to_string(eal.value().worker_lcores) +
                     " CPUs, and every worker needs one of its own",
                 "workers"};
  }
  rte_mempool* pool =
      rte_pktmbuf_pool_create("sluice_mbufs", options.mbufs, 256, 0, kDataRoom, SOCKET_ID_ANY);
  if (!pool) {
    return Error{"ERR_ENGINE",
                 "no memory for " + std::to_string(options.mbufs) +
                     " packet buffers; raise `memory` or lower `mbufs`",
                 "mbufs"};
  }
  std::unique_ptr<Engine> engine;
  try {
    engine.reset(new Engine(options, eal.value(), std::move(on_link), pool));
  } catch (const std::bad_alloc&) {
    rte_mempool_free(pool);
    return Error{"ERR_ENGINE", "no memory for the tables; lower `flows` or `flows6`", "flows"};
  }
  try {
    if (Status wrong = engine->start()) return *wrong;
  } catch (const std::bad_alloc&) {
    return Error{"ERR_ENGINE", "no memory for the workers", ""};
  }
  return engine;
}

Engine::Engine(const EngineOptions& options, const EalFacts& eal, LinkSink on_link,
               rte_mempool* pool)
    : options_(options),
      eal_(eal),
      on_link_(std::move(on_link)),
      pool_(pool),
      up_(new std::atomic<bool>[options.limits.interfaces]()),
      counters_(std::make_shared<CounterRegion>(options.limits)),
      tables_(options.limits),
      program_(options.limits, up_.get()),
      interfaces_(options.limits.interfaces),
      attached_(options.limits.interfaces),
      load_(options.limits.workers) {}

Status Engine::start() {
  if (Status wrong = program_.open()) return wrong;
  const uint32_t workers = options_.limits.workers;
  collect_queues();
  publisher_ = std::make_unique<Publisher>(workers + 1, next_world(program_.build(ProgramDelta{})));
  program_.settle();
  for (uint32_t index = 0; index < workers; ++index) {
    workers_.push_back(std::make_unique<Worker>(index, *publisher_, pool_, options_.limits, tables_,
                                                counters_->block(index)));
  }
  rte_rcu_qsbr_thread_register(publisher_->rcu(), workers);
  if (options_.manual_clock) return {};
  for (uint32_t index = 0; index < workers; ++index) {
    if (rte_eal_remote_launch(worker_main, workers_[index].get(), index + 1) != 0) {
      return Error{"ERR_ENGINE", "worker " + std::to_string(index) + " does not start", "workers"};
    }
  }
  return {};
}

Engine::~Engine() {
  for (auto& worker : workers_) worker->stop();
  if (!options_.manual_clock) {
    for (uint32_t index = 0; index < workers_.size(); ++index) rte_eal_wait_lcore(index + 1);
  }
  {
    std::lock_guard lock(interfaces_mutex_);
    interfaces_.clear();
  }
  workers_.clear();
  publisher_.reset();
  rte_mempool_free(pool_);
}

void Engine::collect_queues() {
  std::vector<Interface*> interfaces(interfaces_.size());
  for (size_t slot = 0; slot < interfaces.size(); ++slot) {
    if (attached_[slot]) interfaces[slot] = interfaces_[slot].get();
  }
  queues_ = make_queues(interfaces, options_.limits.workers);
}

std::unique_ptr<World> Engine::next_world(std::shared_ptr<const Snapshot> snapshot) const {
  return std::make_unique<World>(World{std::move(snapshot), queues_});
}

void Engine::publish(std::unique_ptr<Snapshot> snapshot) {
  publisher_->publish(next_world(std::move(snapshot)));
  program_.settle();
  std::lock_guard lock(sizes_mutex_);
  sizes_ = program_.sizes();
}

void Engine::ask(Worker& worker, const Worker::Task& task) {
  if (options_.manual_clock) {
    const auto lock = publisher_->step_lock();
    worker.perform(task, manual_now_ms_.load());
    return;
  }
  worker.leave(&task);
  while (worker.is_asked())
    publisher_->quiesce();  // at the latest, the poll after this one does it
}

Result<uint64_t> Engine::commit(const ProgramDelta& delta) {
  if (Status wrong = program_.check(delta)) return *wrong;
  publish(program_.build(delta));
  return ++commits_;
}

std::vector<uint32_t> Engine::cpus() const {
  std::vector<uint32_t> cpus;
  if (options_.manual_clock) return cpus;
  for (uint32_t worker = 0; worker < options_.limits.workers; ++worker) {
    cpus.push_back(static_cast<uint32_t>(rte_lcore_to_cpu_id(static_cast<int>(worker + 1))));
  }
  return cpus;
}

uint64_t Engine::now_ms() const {
  if (options_.manual_clock) return manual_now_ms_.load();
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<uint64_t>(now.tv_sec) * 1000 + static_cast<uint64_t>(now.tv_nsec) / 1'000'000;
}

std::vector<FlowView> Engine::flows(size_t limit) {
  const auto now_s = static_cast<uint32_t>(now_ms() / 1000);
  std::vector<FlowView> views;
  rte_rcu_qsbr* const rcu = publisher_->rcu();
  const uint32_t reader = options_.limits.workers;
  rte_rcu_qsbr_thread_online(rcu, reader);
  collect_flows(tables_.flows4, now_s, limit, views);
  collect_flows(tables_.flows6, now_s, limit, views);
  rte_rcu_qsbr_thread_offline(rcu, reader);
  return views;
}

Occupancy Engine::occupancy() const {
  std::lock_guard lock(sizes_mutex_);
  return {tables_.flows4.used(), tables_.flows6.used(), tables_.affinities.used(),
          tables_.neighbours.used(), sizes_};
}

Result<Explanation> Engine::explain(uint32_t slot, const std::vector<uint8_t>& frame) {
  if (Status wrong = check_slot(slot)) return *wrong;
  Explanation explanation;
  // By the worker that would receive it, between two polls: fragments are known to it alone.
  const Interface& interface = *interfaces_[slot];
  const auto length = static_cast<uint32_t>(frame.size());
  const uint32_t worker =
      interface.rss ? interface.rss->worker_of(frame.data(), length) : interface.worker;
  ask(*workers_[worker], [&](const Context& context) {
    explanation = sluice::explain(context, static_cast<uint16_t>(slot), frame.data(), length);
  });
  return explanation;
}

Status Engine::check_slot(uint32_t slot) const {
  if (slot < interfaces_.size() && interfaces_[slot]) return {};
  return Error{"ERR_INTERFACE_UNKNOWN", "there is no interface in that slot", "slot"};
}

Status Engine::check_memory(uint32_t slot) const {
  if (Status wrong = check_slot(slot)) return wrong;
  if (interfaces_[slot]->kind != "memory") {
    return Error{"ERR_INTERFACE_KIND", "is no memory interface", "slot"};
  }
  return {};
}

Result<uint32_t> Engine::send(uint32_t slot,
                              const std::vector<std::pair<const uint8_t*, uint32_t>>& frames) {
  std::lock_guard lock(interfaces_mutex_);
  if (Status wrong = check_memory(slot)) return *wrong;
  uint32_t sent = 0;
  for (const auto& [data, length] : frames) {
    if (!interfaces_[slot]->inject(data, length)) break;
    ++sent;
  }
  return sent;
}

Status Engine::receive(uint32_t slot, uint32_t max,
                       const std::function<void(const uint8_t*, uint32_t)>& take) {
  std::lock_guard lock(interfaces_mutex_);
  if (Status wrong = check_memory(slot)) return wrong;
  for (uint32_t i = 0; i < max; ++i) {
    rte_mbuf* mbuf = interfaces_[slot]->extract();
    if (!mbuf) break;
    take(rte_pktmbuf_mtod(mbuf, const uint8_t*), mbuf->pkt_len);
    rte_pktmbuf_free(mbuf);
  }
  return {};
}

void Engine::step(uint64_t now_ms) {
  manual_now_ms_.store(now_ms);
  const auto lock = publisher_->step_lock();
  for (auto& worker : workers_) worker->poll(now_ms);
}

}  // namespace sluice
