// SPDX-License-Identifier: Apache-2.0
// Counters in shared memory: 8 bytes each, one block per worker, written by that worker alone and
// read by anybody at any time. The twin of CounterRegion in lib/engine/engine.ts.
#pragma once

#include <cstdint>

#include "base/limits.h"
#include "base/reasons.h"

namespace sluice {

// clang-format off
#define SLUICE_WORKER_COUNTERS(X)                                                       \
  X(rx) X(forwarded) X(answered) X(host) X(held) X(handedIn) X(handedOut) X(originated) \
  X(icmpLimited) X(related) X(flowsCreated) X(flowsExpired) X(flowsEvicted)             \
  X(flowsCleared) X(affinityHits) X(masqueraded) X(fragments) X(fragmentPackets)        \
  X(polls) X(busyPolls) X(cycles) X(steered)
// clang-format on

enum class WorkerCounter : uint32_t {
#define X(name) name,
  SLUICE_WORKER_COUNTERS(X)
#undef X
      count
};

enum class InterfaceCounter : uint32_t { rx_packets, rx_bytes, tx_packets, tx_bytes, count };

// Offsets, in counters, within one worker's block.
struct CounterLayout {
  uint32_t worker, drops, interfaces, backends, stride;

  static CounterLayout of(const Limits& limits) {
    constexpr uint32_t kLine = 8;  // counters per cache line: sections and blocks start on one
    auto round = [](uint32_t n) { return (n + kLine - 1) / kLine * kLine; };
    CounterLayout l{};
    l.worker = 0;
    l.drops = round(static_cast<uint32_t>(WorkerCounter::count));
    l.interfaces = l.drops + round(kDropReasonCount);
    l.backends =
        l.interfaces + round(limits.interfaces * static_cast<uint32_t>(InterfaceCounter::count));
    l.stride = l.backends + round(limits.backends);
    return l;
  }
};

// One worker's block. Written by that worker only: a relaxed store is enough for readers.
class CounterBlock {
 public:
  CounterBlock() = default;
  CounterBlock(uint64_t* block, const CounterLayout& layout) : block_(block), layout_(layout) {}

  void add(WorkerCounter which, uint64_t n) { bump(static_cast<uint32_t>(which), n); }
  void set(WorkerCounter which, uint64_t value) {
    __atomic_store_n(&block_[static_cast<uint32_t>(which)], value, __ATOMIC_RELAXED);
  }
  void drop(DropReason reason, uint64_t n = 1) {
    bump(layout_.drops + static_cast<uint32_t>(reason), n);
  }
  void add(uint32_t interface, InterfaceCounter which, uint64_t n) {
    bump(layout_.interfaces + interface * static_cast<uint32_t>(InterfaceCounter::count) +
             static_cast<uint32_t>(which),
         n);
  }
  void add_connection(uint32_t backend_slot) { bump(layout_.backends + backend_slot, 1); }

 private:
  void bump(uint32_t index, uint64_t n) {
    __atomic_store_n(&block_[index], block_[index] + n, __ATOMIC_RELAXED);
  }

  uint64_t* block_ = nullptr;
  CounterLayout layout_{};
};

}  // namespace sluice
