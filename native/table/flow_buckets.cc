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

FlowBuckets::Locks::Locks(const FlowBuckets& buckets, uint32_t hash, uint32_t other)
    : buckets_{&buckets.primary(hash), &buckets.secondary(hash), &buckets.primary(other),
               &buckets.secondary(other)} {
  std::sort(buckets_, buckets_ + 4);
  end_ = std::unique(buckets_, buckets_ + 4);
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

FlowBuckets::Place FlowBuckets::choose(uint32_t hash, Place taken) const {
  auto free_places = [&](Bucket& bucket, Place* lowest) {
    uint32_t count = 0;
    for (uint32_t i = kPlaces; i-- > 0;) {
      if (bucket.indices[i] != 0 || (taken.bucket == &bucket && taken.number == i)) continue;
      *lowest = {&bucket, i};
      count++;
    }
    return count;
  };
  Place first{}, second{};
  const uint32_t in_first = free_places(primary(hash), &first);
  if (in_first >= kRoomy) return first;
  const uint32_t in_second = free_places(secondary(hash), &second);
  return in_second > in_first ? second : first;
}

void FlowBuckets::put(Place place, uint32_t hash, uint32_t entry) {
  const auto tag = static_cast<uint16_t>(hash >> 16);
  __atomic_store_n(&place.bucket->tags[place.number], tag, __ATOMIC_RELAXED);
  __atomic_store_n(&place.bucket->indices[place.number], entry + 1, __ATOMIC_RELEASE);
}

void FlowBuckets::clear(uint32_t hash, uint32_t entry) {
  for (Bucket* bucket : {&primary(hash), &secondary(hash)}) {
    for (uint32_t& index : bucket->indices) {
      if (index == entry + 1) __atomic_store_n(&index, 0u, __ATOMIC_RELAXED);
    }
  }
}

}  // namespace sluice
