// SPDX-License-Identifier: Apache-2.0
#include "engine/world.h"

namespace sluice {
namespace {

void attach(Interface& interface, WorkerQueues& queues, uint32_t worker, uint32_t workers) {
  if (interface.queues == 0) return;
  const uint16_t queue = interface.queue_of(worker, workers);
  queues.transmit[interface.slot] = {&interface, queue};
  if (queue != kNoQueue || interface.rss) queues.receive.push_back({&interface, queue});
  if (queue == 0 && interface.handoff) queues.handed_over.push_back(&interface);
}

}  // namespace

std::shared_ptr<const Queues> make_queues(const std::vector<Interface*>& interfaces,
                                          uint32_t workers) {
  auto queues = std::make_shared<Queues>(workers);
  for (uint32_t worker = 0; worker < workers; ++worker) {
    WorkerQueues& own = (*queues)[worker];
    own.transmit.resize(interfaces.size());
    for (Interface* interface : interfaces) {
      if (interface) attach(*interface, own, worker, workers);
    }
  }
  return queues;
}

}  // namespace sluice
