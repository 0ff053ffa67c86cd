// SPDX-License-Identifier: Apache-2.0
#include "table/neighbours.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "base/crc32c.h"
#include "base/spin.h"

namespace sluice {
namespace {

constexpr uint64_t kEmpty = 0;
constexpr uint64_t kRemoved = 1;
constexpr uint64_t kResolved = uint64_t{1} << 63;

uint64_t key_of(uint16_t interface, const Address& address) {
  return (uint64_t{interface} + 1) << 32 | crc32c(address.bytes, sizeof(address.bytes));
}

// Another worker's clock may be a little ahead.
uint64_t age(uint64_t now_ms, uint64_t then_ms) { return now_ms > then_ms ? now_ms - then_ms : 0; }

}  // namespace

bool Neighbour::usable(uint64_t now_ms, const NeighbourAges& ages) const {
  // Acquire: pairs with the release in learn(), so that the time is not older than the MAC.
  return (mac_.load(std::memory_order_acquire) & kResolved) != 0 &&
         age(now_ms, confirmed_ms_.load(std::memory_order_relaxed)) < ages.dead_ms;
}

bool Neighbour::stale(uint64_t now_ms, const NeighbourAges& ages) const {
  return usable(now_ms, ages) &&
         age(now_ms, confirmed_ms_.load(std::memory_order_relaxed)) >= ages.stale_ms;
}

void Neighbour::copy_mac(uint8_t out[6]) const {
  const uint64_t mac = mac_.load(std::memory_order_relaxed);
  std::memcpy(out, &mac, 6);
}

void Neighbour::learn(const uint8_t mac[6], uint64_t now_ms) {
  uint64_t word = 0;
  std::memcpy(&word, mac, 6);
  confirmed_ms_.store(now_ms, std::memory_order_relaxed);
  mac_.store(word | kResolved, std::memory_order_release);
}

bool Neighbour::may_request(uint64_t now_ms) {
  uint64_t last = requested_ms_.load(std::memory_order_relaxed);
  if (last != 0 && age(now_ms, last - 1) < kRequestIntervalMs) return false;
  return requested_ms_.compare_exchange_strong(last, now_ms + 1, std::memory_order_relaxed);
}

NeighbourTable::NeighbourTable(uint32_t capacity)
    : mask_(
          static_cast<uint32_t>(std::bit_ceil(std::max<uint64_t>(uint64_t{capacity} * 2, 2)) - 1)),
      capacity_(capacity) {
  slots_ = std::make_unique<Neighbour[]>(size_t{mask_} + 1);
}

uint32_t NeighbourTable::start(uint64_t key) const {
  return static_cast<uint32_t>((key * 0x9e3779b97f4a7c15) >> 32) & mask_;
}

Neighbour* NeighbourTable::find(uint16_t interface, const Address& address) const {
  const uint64_t key = key_of(interface, address);
  uint32_t at = start(key);
  for (uint32_t probes = 0; probes <= mask_; probes++, at = (at + 1) & mask_) {
    const uint64_t there = slots_[at].key_.load(std::memory_order_acquire);
    if (there == key && slots_[at].address_ == address) return &slots_[at];
    if (there == kEmpty) return nullptr;
  }
  return nullptr;
}

Neighbour* NeighbourTable::find_or_add(uint16_t interface, const Address& address) {
  if (Neighbour* existing = find(interface, address)) return existing;
  const SpinGuard guard(writer_);
  const uint64_t key = key_of(interface, address);
  Neighbour* place = nullptr;
  uint32_t at = start(key);
  for (uint32_t probes = 0; probes <= mask_; probes++, at = (at + 1) & mask_) {
    const uint64_t there = slots_[at].key_.load(std::memory_order_relaxed);
    if (there == key && slots_[at].address_ == address) return &slots_[at];
    if (there <= kRemoved && place == nullptr) place = &slots_[at];
    if (there == kEmpty) break;
  }
  if (place == nullptr || used() >= capacity_) return nullptr;
  // Nobody reads it: a place is removed when no worker uses its interface any more, and its key is
  // of no other.
  place->address_ = address;
  place->mac_.store(0, std::memory_order_relaxed);
  place->confirmed_ms_.store(0, std::memory_order_relaxed);
  place->requested_ms_.store(0, std::memory_order_relaxed);
  place->key_.store(key, std::memory_order_release);
  used_.fetch_add(1, std::memory_order_relaxed);
  return place;
}

void NeighbourTable::forget_interface(uint16_t interface) {
  for (uint32_t at = 0; at <= mask_; at++) {
    if (slots_[at].key_.load(std::memory_order_acquire) >> 32 != uint64_t{interface} + 1) continue;
    // The address itself stays: a worker may be between usable() and copy_mac().
    slots_[at].mac_.fetch_and(~kResolved, std::memory_order_relaxed);
    slots_[at].requested_ms_.store(0, std::memory_order_relaxed);
  }
}

void NeighbourTable::remove_interface(uint16_t interface) {
  const SpinGuard guard(writer_);
  // Downwards, so that a removed place before an empty one becomes empty too and probes stay short.
  for (uint32_t at = mask_ + 1; at-- > 0;) {
    const uint64_t key = slots_[at].key_.load(std::memory_order_relaxed);
    if (key >> 32 == uint64_t{interface} + 1) {
      slots_[at].key_.store(kRemoved, std::memory_order_release);
      used_.fetch_sub(1, std::memory_order_relaxed);
    }
    if (slots_[at].key_.load(std::memory_order_relaxed) == kRemoved &&
        slots_[(at + 1) & mask_].key_.load(std::memory_order_relaxed) == kEmpty) {
      slots_[at].key_.store(kEmpty, std::memory_order_release);
    }
  }
}

}  // namespace sluice
