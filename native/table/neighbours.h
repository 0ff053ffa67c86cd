// SPDX-License-Identifier: Apache-2.0
// Theory of operation. (interface, address) -> MAC, learned by ARP (RFC 826) and neighbour
// discovery (RFC 4861). One table for both families and all workers: open addressing over atomic
// words, read without locks, inserted under one (a new neighbour is rare), so that places of
// removed entries can be used again. The address is written before the word that makes the place
// visible. Ages and limits: docs/packet-path.md, "neighbour".
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "base/family.h"
#include "base/limits.h"

namespace sluice {

inline constexpr uint64_t kRequestIntervalMs = 1'000;

// Ages in milliseconds from which on an entry is stale, and not used any more.
struct NeighbourAges {
  uint64_t stale_ms = 60'000;
  uint64_t dead_ms = 120'000;
};

class Neighbour {
 public:
  // False: not resolved, or confirmed too long ago.
  bool usable(uint64_t now_ms, const NeighbourAges& ages) const;
  bool stale(uint64_t now_ms, const NeighbourAges& ages) const;  // usable, but wants a refresh
  uint16_t interface() const {
    return static_cast<uint16_t>((key_.load(std::memory_order_relaxed) >> 32) - 1);
  }
  void copy_mac(uint8_t out[6]) const;
  void learn(const uint8_t mac[6], uint64_t now_ms);
  // True at most once per kRequestIntervalMs, over all workers: the caller sends a request.
  bool may_request(uint64_t now_ms);

 private:
  friend class NeighbourTable;
  std::atomic<uint64_t> key_{0};  // 0: empty, 1: removed; else interface + 1 and a hash
  Address address_{};             // written before key_
  std::atomic<uint64_t> mac_{0};  // 48 bits; bit 63: resolved
  std::atomic<uint64_t> confirmed_ms_{0};
  std::atomic<uint64_t> requested_ms_{0};  // time + 1; 0: never
};

class NeighbourTable {
 public:
  explicit NeighbourTable(uint32_t capacity);
  Neighbour* find(uint16_t interface, const Address& address) const;   // null: none
  Neighbour* find_or_add(uint16_t interface, const Address& address);  // null: full
  uint32_t place_of(const Neighbour& neighbour) const {
    return static_cast<uint32_t>(&neighbour - slots_.get());
  }
  const Neighbour& at(uint32_t place) const { return slots_[place]; }
  // The peer is gone; whoever comes next may have other addresses. Any thread: entries stay in
  // place, unresolved.
  void forget_interface(uint16_t interface);
  void remove_interface(uint16_t interface);  // control thread, when no worker uses it any more
  // For those who count what is written.
  std::span<const std::byte> memory() const {
    return std::as_bytes(std::span(slots_.get(), size_t{mask_} + 1));
  }
  uint32_t used() const { return used_.load(std::memory_order_relaxed); }

 private:
  uint32_t start(uint64_t key) const;

  std::unique_ptr<Neighbour[]> slots_;
  std::atomic_flag writer_ = ATOMIC_FLAG_INIT;
  uint32_t mask_;
  uint32_t capacity_;
  std::atomic<uint32_t> used_{0};
};

}  // namespace sluice
