// SPDX-License-Identifier: Apache-2.0
// What workers read: the snapshot of the program, and which queues each of them has. Never changes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "config/snapshot.h"
#include "engine/interface.h"

namespace sluice {

// What one thread writes and another one reads in its loop stands at least so far apart.
inline constexpr size_t kCacheLine = 64;

// Where a worker receives. kNoQueue: from the ring of the interface's software RSS.
struct Ingress {
  Interface* interface;
  uint16_t queue;
};

// How a worker sends to an interface. Null: not at all; kNoQueue: by the ring to the worker that
// has its first queue.
struct Egress {
  Interface* interface = nullptr;
  uint16_t queue = kNoQueue;
};

struct WorkerQueues {
  std::vector<Ingress> receive;         // in slot order
  std::vector<Egress> transmit;         // by slot
  std::vector<Interface*> handed_over;  // whose ring it empties, in slot order
};

// By worker. Interfaces come and go seldom: commits share it.
using Queues = std::vector<WorkerQueues>;
// `interfaces`: by slot; null where there is none, or none any more.
std::shared_ptr<const Queues> make_queues(const std::vector<Interface*>& interfaces,
                                          uint32_t workers);

struct World {
  const std::shared_ptr<const Snapshot> snapshot;
  const std::shared_ptr<const Queues> queues;
};

}  // namespace sluice
