// SPDX-License-Identifier: Apache-2.0
#include "table/flow_buckets.h"

#include <algorithm>

#include "base/spin.h"

namespace sluice {
namespace {

// With so many free places the primary bucket is taken without a look at the other one: lookups
// then find nearly all entries in the first bucket that they read.
constexpr uint32_t kRoomy = 3;

uint32_t bucket_count(uint32_t connections) {
  const auto least = (uint64_t{connections} + 2) / 3;  // 6 of 8 places when full, two entries each
  return static_cast<uint32_t>(std::bit_ceil(std::max<uint64_t>(least, 2)));
}

}  // namespace

FlowBuckets::Locks::Locks(const FlowBuckets& buckets, uint32_t hash, uint32_t other, Reach reach)
    : buckets_{&buckets.primary(hash), &buckets.primary(other), &buckets.secondary(hash),
               &buckets.secondary(other)} {
  if (reach == Reach::primary) {
    if (buckets_[0] > buckets_[1]) std::swap(buckets_[0], buckets_[1]);
    end_ = buckets_ + (buckets_[0] == buckets_[1] ? 1 : 2);
  } else {
    std::sort(buckets_, buckets_ + 4);
    end_ = std::unique(buckets_, buckets_ + 4);
  }
  for (Bucket** bucket = buckets_; bucket != end_; bucket++) {
    while (__atomic_exchange_n(&(*bucket)->lock, 1, __ATOMIC_ACQUIRE) != 0) spin_pause();
  }
}

FlowBuckets::Locks::~Locks() {
  for (Bucket** bucket = buckets_; bucket != end_; bucket++) {
    __atomic_store_n(&(*bucket)->lock, 0, __ATOMIC_RELEASE);
  }
}

FlowBuckets::FlowBuckets(uint32_t connections)
    : mask_(bucket_count(connections) - 1),
      memory_((size_t{mask_} + 1) * sizeof(Bucket)),
      buckets_(static_cast<Bucket*>(memory_.data())) {}

FlowBuckets::Free FlowBuckets::free_places(Bucket& bucket, Place taken) {
  uint32_t free = 0;
  for (uint32_t i = 0; i < kPlaces; i++) {
    free |= uint32_t{__atomic_load_n(&bucket.indices[i], __ATOMIC_RELAXED) == 0} << i;
  }
  if (taken.bucket == &bucket) free &= ~(1u << taken.number);
  if (free == 0) return {};
  return {{&bucket, static_cast<uint32_t>(std::countr_zero(free))},
          static_cast<uint32_t>(std::popcount(free))};
}

FlowBuckets::Place FlowBuckets::choose(uint32_t hash, Place taken) const {
  const Free first = free_places(primary(hash), taken);
  if (first.count >= kRoomy) return first.lowest;
  const Free second = free_places(secondary(hash), taken);
  return second.count > first.count ? second.lowest : first.lowest;
}

void FlowBuckets::put(Place place, uint32_t hash, uint32_t entry) {
  const auto tag = static_cast<uint16_t>(hash >> 16);
  if (!is_primary(place, hash)) {
    __atomic_fetch_add(&primary(hash).elsewhere, 1, __ATOMIC_RELAXED);
  }
  __atomic_store_n(&place.bucket->tags[place.number], tag, __ATOMIC_RELAXED);
  __atomic_store_n(&place.bucket->indices[place.number], entry + 1, __ATOMIC_RELEASE);
}

void FlowBuckets::clear(uint32_t hash, uint32_t entry) {
  if (clear_in(primary(hash), entry)) return;
  if (clear_in(secondary(hash), entry)) {
    __atomic_fetch_sub(&primary(hash).elsewhere, 1, __ATOMIC_RELAXED);
  }
}

bool FlowBuckets::clear_in(Bucket& bucket, uint32_t entry) {
  for (uint32_t& index : bucket.indices) {
    if (__atomic_load_n(&index, __ATOMIC_RELAXED) != entry + 1) continue;
    __atomic_store_n(&index, 0u, __ATOMIC_RELAXED);
    return true;
  }
  return false;
}

}  // namespace sluice
