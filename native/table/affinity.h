// SPDX-License-Identifier: Apache-2.0
// Theory of operation. Session affinity: (client, service port) to the backend that serves it,
// until a point in time. One table for all workers, asked and written once per new connection; a
// lock for each bucket of 8 places. Bounded: a full bucket gives up what would run out first. The
// rule in full: docs/packet-path.md, "Tables".
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>

#include "base/family.h"

namespace sluice {

struct AffinityBackend {
  uint32_t slot;
  uint32_t serial;
};

class AffinityTable {
 public:
  explicit AffinityTable(uint32_t capacity);

  // Nothing: no memory, or it has run out.
  std::optional<AffinityBackend> find(const Address& client, uint32_t service,
                                      uint32_t now_s) const;
  void remember(const Address& client, uint32_t service, AffinityBackend backend,
                uint32_t expires_s, uint32_t now_s);
  // Empties those of the next `count` places of this worker's share that have run out. `next`: the
  // worker's cursor, 0 at first.
  void sweep(uint32_t& next, uint32_t worker, uint32_t workers, uint32_t count, uint32_t now_s);
  // For those who count what is written.
  std::span<const std::byte> memory() const {
    return std::as_bytes(std::span(buckets_.get(), size_t{mask_} + 1));
  }
  uint32_t used() const { return used_.load(std::memory_order_relaxed); }
  uint32_t places() const { return (mask_ + 1) * kPlaces; }  // at least the capacity

 private:
  static constexpr uint32_t kPlaces = 8;
  struct Place {
    Address client;
    uint32_t service;
    uint32_t expires_s;  // 0: empty. Accessed atomically
    AffinityBackend backend;
  };
  struct alignas(64) Bucket {
    Place places[kPlaces];
    std::atomic_flag lock = ATOMIC_FLAG_INIT;
  };

  Bucket& bucket_of(const Address& client, uint32_t service) const;
  static Place& place_for(Bucket& bucket, const Address& client, uint32_t service, uint32_t now_s);

  std::unique_ptr<Bucket[]> buckets_;
  uint32_t mask_;
  std::atomic<uint32_t> used_{0};
};

}  // namespace sluice
