// SPDX-License-Identifier: Apache-2.0
// The engine's interfaces: how they come and go, and which workers have their queues.
#include <cstring>

#include "engine/engine.h"
#include "stage/pipeline.h"

namespace sluice {

uint32_t Engine::pick_worker() {
  std::vector<uint32_t> queues(options_.limits.workers);
  for (const auto& interface : interfaces_) {
    for (uint32_t queue = 0; interface && queue < interface->queues; ++queue) {
      ++queues[(interface->worker + queue) % queues.size()];
    }
  }
  return load_.pick(queues);
}

Status Engine::check(const InterfaceRequest& request) const {
  if (request.slot >= interfaces_.size()) {
    return Error{"ERR_INTERFACE_LIMIT",
                 "there are " + std::to_string(interfaces_.size()) + " interface slots", "slot"};
  }
  if (interfaces_[request.slot]) return Error{"ERR_INTERFACE_EXISTS", "the slot is taken", "slot"};
  const uint32_t workers = options_.limits.workers;
  const std::string number =
      workers == 1 ? "there is 1 worker" : "there are " + std::to_string(workers) + " workers";
  if (request.worker >= static_cast<int>(workers)) {
    return Error{"ERR_INTERFACE", number, "worker"};
  }
  if (request.queues == 0 || request.queues > workers) {
    return Error{"ERR_INTERFACE", number + ", and every queue needs one of its own", "queues"};
  }
  if (request.software_rss && request.queues > 1) {
    return Error{"ERR_INTERFACE", "software RSS is for interfaces with one queue", "rss"};
  }
  return {};
}

Result<InterfaceReport> Engine::add_interface(const InterfaceRequest& request) {
  if (Status wrong = check(request)) return *wrong;
  const uint16_t slot = request.slot;
  Result<std::unique_ptr<Interface>> made =
      make_interface(request, pool_, [this] { publisher_->quiesce(); });
  if (!made.ok()) return made.error();
  std::unique_ptr<Interface> interface = std::move(made.value());
  const uint32_t first = interface->queues == 0 ? 0
                         : request.worker >= 0  ? static_cast<uint32_t>(request.worker)
                                                : pick_worker();
  if (Status wrong = interface->share(first, options_.limits.workers)) return *wrong;
  InterfaceReport report{slot, {}, interface->worker, interface->link_up()};
  std::memcpy(report.mac, interface->mac, sizeof(report.mac));
  up_[slot].store(report.up);
  auto tunnel = interface->tunnel;
  {
    std::lock_guard lock(interfaces_mutex_);
    interfaces_[slot] = std::move(interface);
  }
  attached_[slot] = true;
  collect_queues();
  publish(program_.add_interface(slot, report.mac, request.mtu, request.unfinished_checksums,
                                 std::move(tunnel)));
  return report;
}

Status Engine::remove_interface(uint32_t wanted) {
  if (Status wrong = check_slot(wanted)) return wrong;
  const auto slot = static_cast<uint16_t>(wanted);
  // 1. It is gone from the program, and nobody polls a queue of it or sends to it any more.
  attached_[slot] = false;
  collect_queues();
  publish(program_.remove_interface(slot));
  // 2. What is under way to it, or came in by it and waits, is dropped.
  for (auto& worker : workers_) {
    ask(*worker, [&](Context& context) {
      drop_held(context, slot);
      worker->drop_under_way(*interfaces_[slot]);
    });
  }
  // 3. Nobody refers to it any more.
  tables_.neighbours.remove_interface(slot);
  std::unique_ptr<Interface> gone;
  {
    std::lock_guard lock(interfaces_mutex_);
    gone = std::move(interfaces_[slot]);
  }
  up_[slot].store(false);
  return {};
}

Status Engine::set_link(uint32_t slot, bool up) {
  if (Status wrong = check_memory(slot)) return wrong;
  interfaces_[slot]->set_link(up);
  poll_links();
  return {};
}

void Engine::tick() {
  poll_links();
  // With the manual clock time stands still, and the same steps shall give the same outcome.
  if (!options_.manual_clock) sample_load();
}

void Engine::sample_load() {
  std::vector<uint64_t> packets(options_.limits.workers);
  for (uint32_t worker = 0; worker < packets.size(); ++worker) {
    for (const WorkerCounter counter :
         {WorkerCounter::rx, WorkerCounter::handedIn, WorkerCounter::steered}) {
      packets[worker] += counters_->read(worker, counter);
    }
  }
  load_.sample(packets, now_ms());
}

void Engine::poll_links() {
  std::vector<LinkEvent> events;
  for (size_t slot = 0; slot < interfaces_.size(); ++slot) {
    if (!interfaces_[slot]) continue;
    const bool up = interfaces_[slot]->link_up();
    // Workers look at it for every packet: it is written only when it changes.
    if (up_[slot].load() == up) continue;
    up_[slot].store(up);
    events.push_back({static_cast<uint16_t>(slot), up});
    if (!up) tables_.neighbours.forget_interface(static_cast<uint16_t>(slot));
  }
  if (!events.empty()) on_link_(std::move(events));
}

}  // namespace sluice
