// SPDX-License-Identifier: Apache-2.0
// The engine: owns the tables, the workers, the interfaces and the published state. Opened, changed
// and closed on the control thread; send, receive and step are the JS thread's.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#include "base/limits.h"
#include "config/program_state.h"
#include "engine/counter_region.h"
#include "engine/eal.h"
#include "engine/flow_view.h"
#include "engine/publish.h"
#include "engine/worker.h"
#include "engine/worker_load.h"
#include "stage/explain.h"

namespace sluice {

struct EngineOptions {
  Limits limits;
  uint32_t mbufs = 16384;
  uint32_t memory_mib = 256;
  Hugepages hugepages = Hugepages::automatic;
  bool manual_clock = false;
};

struct LinkEvent {
  uint16_t slot;
  bool up;
};

struct InterfaceReport {
  uint16_t slot;
  uint8_t mac[6];
  uint32_t worker;
  bool up;
};

// Places in use; the twin of Occupancy in lib/engine/engine.ts.
struct Occupancy {
  uint32_t flows, flows6, affinities, neighbours;
  ProgramState::Sizes program;
};

class Engine {
 public:
  using LinkSink = std::function<void(std::vector<LinkEvent>)>;

  // Control thread, all of these.
  static Result<std::unique_ptr<Engine>> open(const EngineOptions& options, LinkSink on_link);
  ~Engine();  // stops the workers, takes the interfaces down
  Result<uint64_t> commit(const ProgramDelta& delta);
  Result<InterfaceReport> add_interface(const InterfaceRequest& request);
  Status remove_interface(uint32_t slot);
  // Of a `memory` interface; errors as of send.
  Status set_link(uint32_t slot, bool up);
  // At most `limit` that have not expired, IPv4 first.
  std::vector<FlowView> flows(size_t limit);
  // What would become of a frame that comes in by `slot`: ERR_INTERFACE_UNKNOWN.
  Result<Explanation> explain(uint32_t slot, const std::vector<uint8_t>& frame);
  // Looks at the links and at what the workers have to do. Now and then.
  void tick();

  // JS thread, all of these. send and receive: ERR_INTERFACE_UNKNOWN, or ERR_INTERFACE_KIND where
  // the interface is not a `memory` one.
  Result<uint32_t> send(uint32_t slot,
                        const std::vector<std::pair<const uint8_t*, uint32_t>>& frames);
  // Calls `take` with up to `max` frames.
  Status receive(uint32_t slot, uint32_t max,
                 const std::function<void(const uint8_t*, uint32_t)>& take);
  void step(uint64_t now_ms);
  Occupancy occupancy() const;

  const std::shared_ptr<CounterRegion>& counters() const { return counters_; }
  const EalFacts& eal() const { return eal_; }
  const EngineOptions& options() const { return options_; }
  // By worker; empty with the manual clock, where no CPU belongs to one.
  std::vector<uint32_t> cpus() const;

 private:
  Engine(const EngineOptions& options, const EalFacts& eal, LinkSink on_link, rte_mempool* pool);
  Status start();
  // Who polls and sends by what, as interfaces are now.
  void collect_queues();
  std::unique_ptr<World> next_world(std::shared_ptr<const Snapshot> snapshot) const;
  void publish(std::unique_ptr<Snapshot> snapshot);
  // Has the worker do what only it may; returns when it is done.
  void ask(Worker& worker, const Worker::Task& task);
  Status check(const InterfaceRequest& request) const;
  uint32_t pick_worker();
  void poll_links();
  void sample_load();
  Status check_slot(uint32_t slot) const;
  Status check_memory(uint32_t slot) const;
  uint64_t now_ms() const;

  const EngineOptions options_;
  const EalFacts eal_;
  const LinkSink on_link_;
  rte_mempool* const pool_;
  const std::unique_ptr<std::atomic<bool>[]> up_;  // by interface slot
  const std::shared_ptr<CounterRegion> counters_;
  Tables tables_;
  ProgramState program_;
  std::unique_ptr<Publisher> publisher_;
  std::vector<std::unique_ptr<Worker>> workers_;
  std::mutex interfaces_mutex_;  // the JS thread looks a memory interface up while the control
                                 // thread changes the list
  std::vector<std::unique_ptr<Interface>> interfaces_;  // by slot
  std::vector<bool> attached_;                          // by slot: part of queues_
  std::shared_ptr<const Queues> queues_;                // of the next World
  WorkerLoad load_;
  std::atomic<uint64_t> manual_now_ms_{0};
  uint64_t commits_ = 0;
  mutable std::mutex sizes_mutex_;  // the JS thread reads what the control thread has counted
  ProgramState::Sizes sizes_{};
};

}  // namespace sluice
