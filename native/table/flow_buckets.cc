// SPDX-License-Identifier: Apache-2.0
#include "table/flow_buckets.h"

#include <algorithm>

#include "base/spin.h"

namespace sluice {
namespace {

uint32_t bucket_count(uint32_t connections) {
  const auto least = (uint64_t{connections} + 2) / 3;  // 6 of 8 places when full, two entries each
  return static_cast<uint32_t>(std::bit_ceil(std::max<uint64_t>(least, 2)));
}

}  // namespace

FlowBuckets::Locks::Locks(const FlowBuckets& buckets, const Claim& one, const Claim& other) {
  Bucket* const first = &buckets.primary(one.hash);
  Bucket* const second = &buckets.primary(other.hash);
  buckets_[0] = std::min(first, second);
  buckets_[1] = std::max(first, second);
  count_ = first == second ? 1 : 2;
  if (one.reach == Reach::both) add(&buckets.secondary(one.hash));
  if (other.reach == Reach::both) add(&buckets.secondary(other.hash));
  for (uint32_t i = 0; i < count_; i++) {
    while (__atomic_exchange_n(&buckets_[i]->lock, 1, __ATOMIC_ACQUIRE) != 0) spin_pause();
  }
}

FlowBuckets::Locks::~Locks() {
  for (uint32_t i = 0; i < count_; i++) {
    __atomic_store_n(&buckets_[i]->lock, 0, __ATOMIC_RELEASE);
  }
}

// In order, and each once.
void FlowBuckets::Locks::add(Bucket* bucket) {
  uint32_t at = count_;
  while (at > 0 && buckets_[at - 1] > bucket) at--;
  if (at > 0 && buckets_[at - 1] == bucket) return;
  for (uint32_t i = count_; i > at; i--) buckets_[i] = buckets_[i - 1];
  buckets_[at] = bucket;
  count_++;
}

FlowBuckets::FlowBuckets(uint32_t connections)
    : mask_(bucket_count(connections) - 1),
      memory_((size_t{mask_} + 1) * sizeof(Bucket)),
      buckets_(static_cast<Bucket*>(memory_.data())) {}

FlowBuckets::Free FlowBuckets::free_places(Bucket& bucket, Place taken) {
  uint32_t free = places_with(bucket, 0);
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
  const uint32_t places = places_with(bucket, entry + 1);
  if (places == 0) return false;
  __atomic_store_n(&bucket.indices[std::countr_zero(places)], 0u, __ATOMIC_RELAXED);
  return true;
}

}  // namespace sluice
