// SPDX-License-Identifier: Apache-2.0
#include "engine/engine.h"

#include <rte_launch.h>
#include <rte_mbuf.h>
#include <rte_rcu_qsbr.h>
#include <rte_ring.h>
#include <sys/mman.h>
#include <time.h>

#include <algorithm>
#include <cstring>
#include <new>

namespace sluice {
namespace {

constexpr uint16_t kDataRoom = RTE_PKTMBUF_HEADROOM + 2048;

size_t round_to_page(size_t bytes) { return (bytes + 4095) / 4096 * 4096; }

int worker_main(void* worker) {
  static_cast<Worker*>(worker)->run();
  return 0;
}

}  // namespace

CounterRegion::CounterRegion(const Limits& limits)
    : layout(CounterLayout::of(limits)),
      bytes_(round_to_page(size_t{layout.stride} * limits.workers * sizeof(uint64_t))) {
  void* memory = mmap(nullptr, bytes_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) throw std::bad_alloc();
  data_ = static_cast<uint64_t*>(memory);
}

CounterRegion::~CounterRegion() { munmap(data_, bytes_); }

Result<std::unique_ptr<Engine>> Engine::open(const EngineOptions& options, LinkSink on_link) {
  Result<EalFacts> eal = start_eal(options.hugepages, options.memory_mib);
  if (!eal.ok()) return eal.error();
  if (options.limits.workers == 0 || options.limits.workers > eal.value().worker_lcores) {
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
    return Error{"ERR_ENGINE", "no memory for the tables; lower `flows`", "flows"};
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
      flows_(options.limits),
      neighbours_(options.limits.neighbours),
      program_(options.limits, up_.get()),
      interfaces_(options.limits.interfaces),
      transmits_(options.limits.interfaces),
      polled_(options.limits.interfaces) {}

Status Engine::start() {
  if (Status wrong = program_.open()) return wrong;
  const uint32_t workers = options_.limits.workers;
  publisher_ = std::make_unique<Publisher>(workers + 1, next_world(program_.build(ProgramDelta{})));
  program_.settle();
  for (uint32_t index = 0; index < workers; ++index) {
    workers_.push_back(std::make_unique<Worker>(index, *publisher_, pool_, flows_, neighbours_,
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

std::unique_ptr<World> Engine::next_world(std::shared_ptr<const Snapshot> snapshot) const {
  auto world = std::make_unique<World>();
  world->snapshot = std::move(snapshot);
  world->transmit.resize(interfaces_.size());
  world->polled.resize(options_.limits.workers);
  for (size_t slot = 0; slot < interfaces_.size(); ++slot) {
    Interface* interface = interfaces_[slot].get();
    if (transmits_[slot]) world->transmit[slot] = interface;
    if (polled_[slot]) world->polled[interface->worker].push_back(interface);
  }
  return world;
}

void Engine::publish(std::unique_ptr<Snapshot> snapshot) {
  publisher_->publish(next_world(std::move(snapshot)));
  program_.settle();
}

Result<uint64_t> Engine::commit(const ProgramDelta& delta) {
  if (Status wrong = program_.check(delta)) return *wrong;
  publish(program_.build(delta));
  return ++commits_;
}

uint32_t Engine::pick_worker(int wanted) const {
  if (wanted >= 0) return static_cast<uint32_t>(wanted);
  std::vector<uint32_t> load(options_.limits.workers);
  for (const auto& interface : interfaces_) {
    if (interface) ++load[interface->worker];
  }
  return static_cast<uint32_t>(std::min_element(load.begin(), load.end()) - load.begin());
}

Result<InterfaceReport> Engine::add_interface(const InterfaceRequest& request) {
  const uint16_t slot = request.slot;
  if (slot >= interfaces_.size()) {
    return Error{"ERR_INTERFACE_LIMIT",
                 "there are " + std::to_string(interfaces_.size()) + " interface slots", "slot"};
  }
  if (interfaces_[slot]) return Error{"ERR_INTERFACE_EXISTS", "the slot is taken", "slot"};
  if (request.worker >= static_cast<int>(options_.limits.workers)) {
    return Error{"ERR_INTERFACE",
                 "there are " + std::to_string(options_.limits.workers) + " workers", "worker"};
  }
  Result<std::unique_ptr<Interface>> made = make_interface(request, pool_);
  if (!made.ok()) return made.error();
  std::unique_ptr<Interface> interface = std::move(made.value());
  interface->worker = pick_worker(request.worker);
  if (options_.limits.workers > 1) {
    const std::string name = "sluice_handoff" + std::to_string(slot);
    interface->handoff = rte_ring_create(name.c_str(), kHandoffFrames, SOCKET_ID_ANY,
                                         RING_F_SC_DEQ | RING_F_EXACT_SZ);
    if (!interface->handoff) return Error{"ERR_INTERFACE", "no memory for a hand-over ring", ""};
  }
  InterfaceReport report{slot, {}, interface->worker, interface->link_up()};
  std::memcpy(report.mac, interface->mac, sizeof(report.mac));
  up_[slot].store(report.up);
  {
    std::lock_guard lock(interfaces_mutex_);
    interfaces_[slot] = std::move(interface);
  }
  transmits_[slot] = polled_[slot] = true;
  publish(program_.add_interface(slot, report.mac, request.mtu));
  return report;
}

Status Engine::remove_interface(uint32_t wanted) {
  if (wanted >= interfaces_.size() || !interfaces_[wanted]) {
    return Error{"ERR_INTERFACE_UNKNOWN", "there is no interface in that slot", "slot"};
  }
  const auto slot = static_cast<uint16_t>(wanted);
  // 1. Nothing more is sent to it. Its owner empties the hand-over ring: that wants a whole poll of
  // it after everybody's last send, which only the second quiescence from there on proves.
  transmits_[slot] = false;
  publisher_->publish(next_world(publisher_->current()->snapshot));
  publisher_->quiesce();
  publisher_->quiesce();
  // 2. It is gone from the program and is not polled; what waits for one of its neighbours is
  // dropped in the housekeeping that follows.
  polled_[slot] = false;
  publish(program_.remove_interface(slot));
  if (options_.manual_clock) {
    const auto lock = publisher_->step_lock();
    for (auto& worker : workers_) worker->drop_held_for(slot);
    workers_[interfaces_[slot]->worker]->drop_handed_over(*interfaces_[slot]);
  } else {
    publisher_->quiesce();
  }
  // 3. Nobody refers to it any more.
  neighbours_.remove_interface(slot);
  std::unique_ptr<Interface> gone;
  {
    std::lock_guard lock(interfaces_mutex_);
    gone = std::move(interfaces_[slot]);
  }
  up_[slot].store(false);
  return {};
}

void Engine::poll_links() {
  std::vector<LinkEvent> events;
  for (size_t slot = 0; slot < interfaces_.size(); ++slot) {
    if (!interfaces_[slot]) continue;
    const bool up = interfaces_[slot]->link_up();
    if (up_[slot].exchange(up) == up) continue;
    events.push_back({static_cast<uint16_t>(slot), up});
    if (!up) neighbours_.forget_interface(static_cast<uint16_t>(slot));
  }
  if (!events.empty()) on_link_(std::move(events));
}

uint64_t Engine::now_ms() const {
  if (options_.manual_clock) return manual_now_ms_.load();
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<uint64_t>(now.tv_sec) * 1000 + static_cast<uint64_t>(now.tv_nsec) / 1'000'000;
}

std::vector<FlowView> Engine::flows(size_t limit) {
  std::vector<FlowView> views;
  const uint32_t now_s = static_cast<uint32_t>(now_ms() / 1000);
  rte_rcu_qsbr* const rcu = publisher_->rcu();
  const uint32_t reader = options_.limits.workers;
  rte_rcu_qsbr_thread_online(rcu, reader);
  for (uint32_t pair = 0; pair < flows_.capacity() && views.size() < limit; ++pair) {
    const FlowEntry& forward = flows_.entry(2 * pair);
    const FlowEntry& reply = flows_.entry(2 * pair + 1);
    if (!__atomic_load_n(&forward.alive, __ATOMIC_ACQUIRE)) continue;
    if (flows_.expired(2 * pair, now_s)) continue;
    const uint32_t last_seen =
        reply.packets ? std::max(forward.last_seen, reply.last_seen) : forward.last_seen;
    views.push_back({forward.key, forward.new_address, forward.new_port, forward.backend_slot,
                     flows_.state(2 * pair), now_s > last_seen ? now_s - last_seen : 0,
                     forward.packets, forward.bytes, reply.packets, reply.bytes});
  }
  rte_rcu_qsbr_thread_offline(rcu, reader);
  return views;
}

Status Engine::check_memory(uint32_t slot) const {
  if (slot >= interfaces_.size() || !interfaces_[slot]) {
    return Error{"ERR_INTERFACE_UNKNOWN", "there is no interface in that slot", "slot"};
  }
  if (interfaces_[slot]->kind != "memory") {
    return Error{"ERR_INTERFACE_KIND", "only memory interfaces send and receive", "slot"};
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
