// SPDX-License-Identifier: Apache-2.0
#include "table/flow_table.h"

#include <sys/mman.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <new>

#include "base/spin.h"
#include "packet/headers.h"

namespace sluice {
namespace {

constexpr uint32_t kMaxBatch = 256;

void* map_zeroed(size_t bytes) {
  void* memory = mmap(nullptr, bytes, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED) throw std::bad_alloc();
  madvise(memory, bytes, MADV_HUGEPAGE);
  return memory;
}

template <typename T>
T load(const T& word) {
  return __atomic_load_n(&word, __ATOMIC_RELAXED);
}
template <typename T>
void store(T& word, T value) {
  __atomic_store_n(&word, value, __ATOMIC_RELAXED);
}

// Bit 15 of every 16-bit lane of `tags` that may equal `tag`. A lane above an equal one may be set
// wrongly (borrow): harmless, since keys are compared in the end.
uint64_t matching_lanes(uint64_t tags, uint16_t tag) {
  constexpr uint64_t kOnes = 0x0001000100010001;
  const uint64_t difference = tags ^ (kOnes * tag);
  return (difference - kOnes) & ~difference & (kOnes << 15);
}

}  // namespace

bool FlowCache::seal(uint64_t token) {
  if (pending.empty() || !sealed.empty()) return false;
  sealed.swap(pending);
  seal_token = token;
  return true;
}

void FlowCache::release() {
  free.insert(free.end(), sealed.begin(), sealed.end());
  sealed.clear();
}

// Locks the (up to four) buckets of two hashes, lowest address first.
class FlowTable::BucketLocks {
 public:
  BucketLocks(const FlowTable& table, uint32_t hash, uint32_t other)
      : buckets_{&table.primary(hash), &table.secondary(hash), &table.primary(other),
                 &table.secondary(other)} {
    std::sort(buckets_, buckets_ + 4);
    end_ = std::unique(buckets_, buckets_ + 4);
    for (Bucket** bucket = buckets_; bucket != end_; bucket++) {
      while (__atomic_exchange_n(&(*bucket)->lock, 1, __ATOMIC_ACQUIRE) != 0) spin_pause();
    }
  }
  ~BucketLocks() {
    for (Bucket** bucket = buckets_; bucket != end_; bucket++) {
      __atomic_store_n(&(*bucket)->lock, 0, __ATOMIC_RELEASE);
    }
  }
  BucketLocks(const BucketLocks&) = delete;
  BucketLocks& operator=(const BucketLocks&) = delete;

 private:
  Bucket* buckets_[4];
  Bucket** end_;
};

FlowTable::FlowTable(const Limits& limits)
    : capacity_(limits.flows),
      workers_(std::max(limits.workers, 1u)),
      batch_(std::clamp(limits.flows / (workers_ * 4), 1u, kMaxBatch)),
      timeouts_(limits.timeouts) {
  const auto least = (uint64_t{capacity_} + 2) / 3;  // 6 of 8 places when full, two entries a pair
  const uint64_t buckets = std::bit_ceil(std::max<uint64_t>(least, 2));
  bucket_mask_ = static_cast<uint32_t>(buckets - 1);
  bucket_bytes_ = buckets * sizeof(Bucket);
  entry_bytes_ = std::max<size_t>(uint64_t{capacity_} * 2, 1) * sizeof(FlowEntry);
  free_.resize(capacity_);
  for (uint32_t i = 0; i < capacity_; i++) free_[i] = capacity_ - 1 - i;
  buckets_ = static_cast<Bucket*>(map_zeroed(bucket_bytes_));
  try {
    entries_ = static_cast<FlowEntry*>(map_zeroed(entry_bytes_));
  } catch (...) {
    munmap(buckets_, bucket_bytes_);
    throw;
  }
}

FlowTable::~FlowTable() {
  munmap(buckets_, bucket_bytes_);
  munmap(entries_, entry_bytes_);
}

uint32_t FlowTable::search(const Bucket& bucket, const FiveTuple& key, uint32_t hash) const {
  const auto* halves = reinterpret_cast<const uint64_t*>(bucket.tags);
  for (uint32_t half = 0; half < 2; half++) {
    uint64_t lanes = matching_lanes(load(halves[half]), static_cast<uint16_t>(hash >> 16));
    for (; lanes != 0; lanes &= lanes - 1) {
      const auto lane = static_cast<uint32_t>(std::countr_zero(lanes)) / 16;
      // Acquire: pairs with the release store in insert(), so that the entry behind it is whole.
      const uint32_t place = __atomic_load_n(&bucket.indices[half * 4 + lane], __ATOMIC_ACQUIRE);
      if (place != 0 && entries_[place - 1].key == key) return place - 1;
    }
  }
  return kNoFlow;
}

uint32_t FlowTable::find(const FiveTuple& key, uint32_t hash) const {
  const uint32_t index = search(primary(hash), key, hash);
  return index != kNoFlow ? index : search(secondary(hash), key, hash);
}

void FlowTable::prefetch_bucket(uint32_t hash) const { __builtin_prefetch(&primary(hash)); }

void FlowTable::prefetch_entry(uint32_t hash) const {
  const Bucket& bucket = primary(hash);
  const auto* halves = reinterpret_cast<const uint64_t*>(bucket.tags);
  for (uint32_t half = 0; half < 2; half++) {
    const uint64_t lanes = matching_lanes(load(halves[half]), static_cast<uint16_t>(hash >> 16));
    if (lanes == 0) continue;
    const auto lane = static_cast<uint32_t>(std::countr_zero(lanes)) / 16;
    const uint32_t place = load(bucket.indices[half * 4 + lane]);
    if (place == 0) continue;
    __builtin_prefetch(&entries_[place - 1], 1);
    __builtin_prefetch(&entries_[(place - 1) ^ 1]);
    return;
  }
}

void FlowTable::count(uint32_t index, uint32_t now_s, uint32_t bytes, uint8_t tcp_flags) {
  // One direction arrives at one worker as a rule; if it arrives at two, a count may get lost, but
  // never a flag.
  FlowEntry& entry = entries_[index];
  store(entry.last_seen, now_s);
  store(entry.packets, load(entry.packets) + 1);
  store(entry.bytes, load(entry.bytes) + bytes);
  if ((load(entry.tcp_flags) | tcp_flags) != load(entry.tcp_flags)) {
    __atomic_fetch_or(&entry.tcp_flags, tcp_flags, __ATOMIC_RELAXED);
  }
}

FlowTable::Place FlowTable::choose(uint32_t hash, Place taken) const {
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
  const uint32_t in_second = free_places(secondary(hash), &second);
  return in_second > in_first ? second : first;
}

uint32_t FlowTable::insert(FlowCache& cache, const FlowEntry& forward, const FlowEntry& reply) {
  if (cache.free.empty() && !refill(cache)) return kNoFlow;
  const uint32_t pair = cache.free.back();
  const uint32_t hash = flow_hash(forward.key), reply_hash = flow_hash(reply.key);
  {
    const BucketLocks locks(*this, hash, reply_hash);
    if (find(forward.key, hash) != kNoFlow || find(reply.key, reply_hash) != kNoFlow) {
      return kNoFlow;
    }
    const Place place = choose(hash, {});
    if (place.bucket == nullptr) return kNoFlow;
    const Place reply_place = choose(reply_hash, place);
    if (reply_place.bucket == nullptr) return kNoFlow;

    FlowEntry* entries = &entries_[2 * pair];
    auto write = [](FlowEntry& to, const FlowEntry& from) {
      // `alive` is the one member that a sweep may read meanwhile.
      std::memcpy(static_cast<void*>(&to), &from, offsetof(FlowEntry, alive));
      std::memcpy(&to.last_seen, &from.last_seen,
                  sizeof(FlowEntry) - offsetof(FlowEntry, last_seen));
    };
    write(entries[0], forward);
    write(entries[1], reply);
    auto publish = [](Place to, uint32_t entry_hash, uint32_t index) {
      store(to.bucket->tags[to.number], static_cast<uint16_t>(entry_hash >> 16));
      __atomic_store_n(&to.bucket->indices[to.number], index + 1, __ATOMIC_RELEASE);
    };
    publish(place, hash, 2 * pair);
    publish(reply_place, reply_hash, 2 * pair + 1);
    // Last, and under the locks: whoever sees it and removes the pair finds both places written.
    __atomic_store_n(&entries[0].alive, uint8_t{1}, __ATOMIC_RELEASE);
  }
  cache.free.pop_back();
  used_.fetch_add(1, std::memory_order_relaxed);
  return 2 * pair;
}

void FlowTable::clear(uint32_t index, uint32_t hash) {
  for (Bucket* bucket : {&primary(hash), &secondary(hash)}) {
    for (uint32_t& place : bucket->indices) {
      if (place == index + 1) store(place, 0u);
    }
  }
}

bool FlowTable::remove(FlowCache& cache, uint32_t index) {
  const uint32_t pair = index / 2;
  FlowEntry* entries = &entries_[2 * pair];
  if (__atomic_exchange_n(&entries[0].alive, uint8_t{0}, __ATOMIC_ACQ_REL) == 0) return false;
  const uint32_t hash = flow_hash(entries[0].key), reply_hash = flow_hash(entries[1].key);
  {
    const BucketLocks locks(*this, hash, reply_hash);
    clear(2 * pair, hash);
    clear(2 * pair + 1, reply_hash);
  }
  used_.fetch_sub(1, std::memory_order_relaxed);
  cache.pending.push_back(pair);
  return true;
}

FlowState FlowTable::state(uint32_t index) const {
  const FlowEntry& forward = entries_[index & ~1u];
  const FlowEntry& reply = entries_[index | 1u];
  if (forward.key.protocol == kProtocolTcp) {
    const uint8_t mine = load(forward.tcp_flags), theirs = load(reply.tcp_flags);
    if (((mine | theirs) & kTcpRst) || (mine & theirs & kTcpFin)) return FlowState::closed;
    if ((mine | theirs) & kTcpFin) return FlowState::close_wait;
  }
  const bool both = load(forward.packets) > 0 && load(reply.packets) > 0;
  return both ? FlowState::established : FlowState::unreplied;
}

bool FlowTable::expired(uint32_t index, uint32_t now_s) const {
  const FlowEntry& forward = entries_[index & ~1u];
  const FlowEntry& reply = entries_[index | 1u];
  const bool tcp = forward.key.protocol == kProtocolTcp;
  uint32_t timeout = 0;
  switch (state(index)) {
    case FlowState::unreplied:
      timeout = tcp ? timeouts_.tcp_unreplied : timeouts_.udp_unreplied;
      break;
    case FlowState::established:
      timeout = tcp ? timeouts_.tcp_established : timeouts_.udp_stream;
      break;
    case FlowState::close_wait:
      timeout = timeouts_.tcp_close_wait;
      break;
    case FlowState::closed:
      timeout = timeouts_.tcp_closed;
      break;
  }
  const uint32_t last = std::max(load(forward.last_seen), load(reply.last_seen));
  // Another worker's clock may be a little ahead.
  return (now_s > last ? now_s - last : 0) >= timeout;
}

uint32_t FlowTable::sweep(FlowCache& cache, uint32_t worker, uint32_t count, uint32_t now_s) {
  give_back(cache);
  if (worker >= capacity_) return 0;
  const uint32_t share = (capacity_ - worker + workers_ - 1) / workers_;
  uint32_t removed = 0;
  for (uint32_t i = std::min(count, share); i > 0; i--) {
    const uint32_t index = 2 * (cache.sweep_next * workers_ + worker);
    cache.sweep_next = (cache.sweep_next + 1) % share;
    if (__atomic_load_n(&entries_[index].alive, __ATOMIC_ACQUIRE) == 0) continue;
    if (expired(index, now_s) && remove(cache, index)) removed++;
  }
  return removed;
}

void FlowTable::attach(FlowCache& cache) {
  cache.free.reserve(4 * batch_);
  refill(cache);
}

bool FlowTable::refill(FlowCache& cache) {
  const SpinGuard guard(free_lock_);
  const auto count = static_cast<ptrdiff_t>(std::min<size_t>(batch_, free_.size()));
  cache.free.insert(cache.free.end(), free_.end() - count, free_.end());
  free_.erase(free_.end() - count, free_.end());
  return count > 0;
}

// Flows that one worker makes and another removes would gather there: the bottom of the stack goes
// back.
void FlowTable::give_back(FlowCache& cache) {
  if (cache.free.size() < 3 * size_t{batch_}) return;
  const auto surplus = static_cast<ptrdiff_t>(cache.free.size() - batch_);
  const SpinGuard guard(free_lock_);
  free_.insert(free_.end(), cache.free.begin(), cache.free.begin() + surplus);
  cache.free.erase(cache.free.begin(), cache.free.begin() + surplus);
}

}  // namespace sluice
