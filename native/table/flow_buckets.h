// SPDX-License-Identifier: Apache-2.0
// Theory of operation. The index of a flow table: buckets of one cache line, 8 places each; a place
// is a 16-bit tag and the index of an entry. A hash has two buckets that it may be in. Readers take
// no lock: they compare the entry's key, so a half-written place is at worst a miss. Who inserts
// locks the buckets it writes; who removes needs no lock. Hash, number of buckets, choice of place:
// docs/packet-path.md, "Tables".
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <span>

#include "base/zeroed_memory.h"

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace sluice {

inline constexpr uint32_t kNoEntry = UINT32_MAX;
inline constexpr uint32_t kMaybeElsewhere = UINT32_MAX - 1;

class FlowBuckets {
 public:
  static constexpr uint32_t kPlaces = 8;

 private:
  // An index is stored plus one, so that zeroed memory is an empty table.
  struct alignas(64) Bucket {
    uint16_t tags[kPlaces];
    uint32_t indices[kPlaces];
    uint32_t lock;
    uint32_t elsewhere;  // entries in their other bucket, whose primary one this is
  };
  static_assert(sizeof(Bucket) == 64);

 public:
  struct Place {
    Bucket* bucket;  // null: none
    uint32_t number;
    explicit operator bool() const { return bucket != nullptr; }
  };

  // What an insertion of a key may write: its primary bucket, or both. Everybody who inserts a key
  // holds the lock of its primary bucket.
  enum class Reach : uint8_t { primary, both };
  struct Claim {
    uint32_t hash;
    Reach reach;
  };
  // Locks what two insertions may write, lowest address first.
  class Locks {
   public:
    Locks(const FlowBuckets& buckets, const Claim& one, const Claim& other);
    ~Locks();
    Locks(const Locks&) = delete;
    Locks& operator=(const Locks&) = delete;

   private:
    void add(Bucket* bucket);

    Bucket* buckets_[4];
    uint32_t count_;
  };

  explicit FlowBuckets(uint32_t connections);  // throws std::bad_alloc

  std::span<const std::byte> memory() const { return memory_.bytes(); }

  // Always inline, as are their callers: GCC holds a call of what does nothing but prefetch for one
  // without effect, and leaves it out.
  [[gnu::always_inline]] void prefetch(uint32_t hash) const { __builtin_prefetch(&primary(hash)); }
  [[gnu::always_inline]] void prefetch_to_write(uint32_t hash) const {
    __builtin_prefetch(&primary(hash), 1);
  }
  // What an insertion of a key, or a lookup that finds nothing, reads besides its primary bucket,
  // which it reads.
  [[gnu::always_inline]] void prefetch_other(uint32_t hash) const {
    const Bucket& first = primary(hash);
    if (has_elsewhere(first) || !is_roomy(first)) __builtin_prefetch(&secondary(hash), 1);
  }
  // The same of clearing an entry.
  [[gnu::always_inline]] void prefetch_to_clear(uint32_t hash, uint32_t entry) const {
    if (places_with(primary(hash), entry + 1) == 0) __builtin_prefetch(&secondary(hash), 1);
  }
  // Which buckets choose() reads.
  Claim claim(uint32_t hash) const {
    return {hash, is_roomy(primary(hash)) ? Reach::primary : Reach::both};
  }
  // The first entry of this tag in the primary bucket, whoever's it is; or kNoEntry; or
  // kMaybeElsewhere, and the other bucket is on its way.
  [[gnu::always_inline]] uint32_t guess(uint32_t hash) const {
    const Bucket& first = primary(hash);
    const uint32_t entry = search(first, hash, [](uint32_t) { return true; });
    if (entry != kNoEntry || !has_elsewhere(first)) return entry;
    __builtin_prefetch(&secondary(hash));
    return kMaybeElsewhere;
  }
  // And in the other bucket.
  uint32_t guess_elsewhere(uint32_t hash) const {
    return search(secondary(hash), hash, [](uint32_t) { return true; });
  }
  // The entry of this hash for which `is_it(entry)` holds, or kNoEntry.
  template <class IsIt>
  uint32_t find(uint32_t hash, IsIt&& is_it) const {
    const Bucket& first = primary(hash);
    const uint32_t entry = search(first, hash, is_it);
    // A miss so reads one bucket, as a rule.
    if (entry != kNoEntry || !has_elsewhere(first)) return entry;
    return search(secondary(hash), hash, is_it);
  }

  bool is_primary(Place place, uint32_t hash) const { return place.bucket == &primary(hash); }
  // That there is no place is known for certain once both buckets are locked.
  bool exceeds(const Claim& claim, Place place) const {
    return claim.reach == Reach::primary && !is_primary(place, claim.hash);
  }

  // For choose and put the caller holds the locks of the buckets.

  // The lowest free place of the primary bucket, or, where that begins to fill, of the bucket with
  // more of them; `taken` counts as not free.
  Place choose(uint32_t hash, Place taken = {}) const;
  void put(Place place, uint32_t hash, uint32_t entry);
  // By the one who removes the entry. Needs no lock: whoever looks for room meanwhile sees the
  // place taken or free.
  void clear(uint32_t hash, uint32_t entry);
  // All entries of both buckets, the primary one first.
  template <class Visit>
  void each(uint32_t hash, Visit&& visit) const {
    for (const Bucket* bucket : {&primary(hash), &secondary(hash)}) {
      for (const uint32_t& place : bucket->indices) {
        // Who removes an entry clears its place without the lock.
        const uint32_t index = __atomic_load_n(&place, __ATOMIC_RELAXED);
        if (index != 0) visit(index - 1);
      }
    }
  }

 private:
  // With so many free places the primary bucket is taken without a look at the other one: lookups
  // then find nearly all entries in the first bucket that they read.
  static constexpr uint32_t kRoomy = 3;

  struct Free {
    Place lowest;
    uint32_t count;
  };
  static Free free_places(Bucket& bucket, Place taken);
  static bool has_elsewhere(const Bucket& bucket) {
    return __atomic_load_n(&bucket.elsewhere, __ATOMIC_RELAXED) != 0;
  }
  static bool is_roomy(const Bucket& bucket) {
    return std::popcount(places_with(bucket, 0)) >= static_cast<int>(kRoomy);
  }
  static bool clear_in(Bucket& bucket, uint32_t entry);

  Bucket& primary(uint32_t hash) const { return buckets_[hash & mask_]; }
  Bucket& secondary(uint32_t hash) const {
    return buckets_[(hash ^ (((hash >> 16) + 1) * 0x5bd1e995u)) & mask_];
  }

  // A bit for every place whose tag is the hash's.
  static uint32_t matching_places(const Bucket& bucket, uint32_t hash) {
#if defined(__SSE2__)
    const __m128i tags = _mm_load_si128(reinterpret_cast<const __m128i*>(bucket.tags));
    const __m128i equal = _mm_cmpeq_epi16(tags, _mm_set1_epi16(static_cast<int16_t>(hash >> 16)));
    return static_cast<uint32_t>(_mm_movemask_epi8(_mm_packs_epi16(equal, _mm_setzero_si128())));
#else
    uint32_t places = 0;
    for (uint32_t i = 0; i < kPlaces; i++) {
      const uint16_t tag = __atomic_load_n(&bucket.tags[i], __ATOMIC_RELAXED);
      places |= uint32_t{tag == hash >> 16} << i;
    }
    return places;
#endif
  }

  // A bit for every place that stores this index.
  static uint32_t places_with(const Bucket& bucket, uint32_t stored) {
#if defined(__SSE2__)
    const auto* indices = reinterpret_cast<const __m128i*>(bucket.indices);
    const __m128i wanted = _mm_set1_epi32(static_cast<int>(stored));
    const __m128i low = _mm_cmpeq_epi32(_mm_load_si128(indices), wanted);
    const __m128i high = _mm_cmpeq_epi32(_mm_load_si128(indices + 1), wanted);
    const __m128i both = _mm_packs_epi32(low, high);
    return static_cast<uint32_t>(_mm_movemask_epi8(_mm_packs_epi16(both, _mm_setzero_si128())));
#else
    uint32_t places = 0;
    for (uint32_t i = 0; i < kPlaces; i++) {
      places |= uint32_t{__atomic_load_n(&bucket.indices[i], __ATOMIC_RELAXED) == stored} << i;
    }
    return places;
#endif
  }

  template <class IsIt>
  static uint32_t search(const Bucket& bucket, uint32_t hash, IsIt&& is_it) {
    for (uint32_t places = matching_places(bucket, hash); places != 0; places &= places - 1) {
      const auto place = static_cast<uint32_t>(std::countr_zero(places));
      // Acquire: pairs with the release store in put(), so that the entry behind it is whole.
      const uint32_t index = __atomic_load_n(&bucket.indices[place], __ATOMIC_ACQUIRE);
      if (index != 0 && is_it(index - 1)) return index - 1;
    }
    return kNoEntry;
  }

  uint32_t mask_;
  ZeroedMemory memory_;
  Bucket* buckets_;
};

}  // namespace sluice
