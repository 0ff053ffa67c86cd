// SPDX-License-Identifier: Apache-2.0
#include "table/affinity.h"

#include <algorithm>
#include <bit>

#include "base/crc32c.h"
#include "base/endian.h"
#include "base/mix.h"
#include "base/spin.h"

namespace sluice {

AffinityTable::AffinityTable(uint32_t capacity)
    : mask_(static_cast<uint32_t>(
          std::bit_ceil(std::max<uint64_t>((uint64_t{capacity} + kPlaces - 1) / kPlaces, 1)) - 1)) {
  buckets_ = std::make_unique<Bucket[]>(size_t{mask_} + 1);
}

AffinityTable::Bucket& AffinityTable::bucket_of(const Address& client, uint32_t service) const {
  const be32 number = be32::from_host(service);
  const uint32_t crc = crc32c(&number, sizeof(number), crc32c(client.bytes, sizeof(client.bytes)));
  return buckets_[mix(crc) & mask_];
}

std::optional<AffinityBackend> AffinityTable::find(const Address& client, uint32_t service,
                                                   uint32_t now_s) const {
  Bucket& bucket = bucket_of(client, service);
  const SpinGuard guard(bucket.lock);
  for (const Place& place : bucket.places) {
    if (place.expires_s > now_s && place.service == service && place.client == client) {
      return place.backend;
    }
  }
  return {};
}

AffinityTable::Place& AffinityTable::place_for(Bucket& bucket, const Address& client,
                                               uint32_t service, uint32_t now_s) {
  Place* free = nullptr;
  Place* soonest = &bucket.places[0];
  for (Place& place : bucket.places) {
    if (place.expires_s != 0 && place.service == service && place.client == client) return place;
    if (free == nullptr && place.expires_s <= now_s) free = &place;
    if (place.expires_s < soonest->expires_s) soonest = &place;
  }
  return free != nullptr ? *free : *soonest;
}

void AffinityTable::remember(const Address& client, uint32_t service, AffinityBackend backend,
                             uint32_t expires_s, uint32_t now_s) {
  Bucket& bucket = bucket_of(client, service);
  const SpinGuard guard(bucket.lock);
  Place& place = place_for(bucket, client, service, now_s);
  if (place.expires_s == 0) used_.fetch_add(1, std::memory_order_relaxed);
  place.client = client;
  place.service = service;
  place.backend = backend;
  __atomic_store_n(&place.expires_s, expires_s, __ATOMIC_RELAXED);
}

void AffinityTable::sweep(uint32_t& next, uint32_t worker, uint32_t workers, uint32_t count,
                          uint32_t now_s) {
  if (worker >= places()) return;
  const uint32_t share = (places() - worker + workers - 1) / workers;
  for (uint32_t i = std::min(count, share); i > 0; i--) {
    const uint32_t number = next * workers + worker;
    next = (next + 1) % share;
    Bucket& bucket = buckets_[number / kPlaces];
    uint32_t& expires_s = bucket.places[number % kPlaces].expires_s;
    auto is_over = [&] {
      const uint32_t expires = __atomic_load_n(&expires_s, __ATOMIC_RELAXED);
      return expires != 0 && expires <= now_s;
    };
    if (!is_over()) continue;  // nearly always: no lock for that
    const SpinGuard guard(bucket.lock);
    if (!is_over()) continue;
    __atomic_store_n(&expires_s, 0u, __ATOMIC_RELAXED);
    used_.fetch_sub(1, std::memory_order_relaxed);
  }
}

}  // namespace sluice
