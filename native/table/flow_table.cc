// SPDX-License-Identifier: Apache-2.0
#include "table/flow_table.h"

#include <algorithm>
#include <cstddef>
#include <cstring>

#include "base/spin.h"
#include "packet/headers.h"

namespace sluice {
namespace {

constexpr uint32_t kMaxBatch = 256;

// Pressure: free pairs below which it begins, how far the hand goes, and how often a full bucket
// gives way.
constexpr uint32_t kPressurePairs = 256;
constexpr uint32_t kHandPairs = 64;
constexpr uint32_t kRetries = 2;

static_assert(kNoFlow == kNoEntry);

template <typename T>
T load(const T& word) {
  return __atomic_load_n(&word, __ATOMIC_RELAXED);
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

template <class F>
FlowTable<F>::FlowTable(uint32_t capacity, uint32_t workers, const Timeouts& timeouts)
    : capacity_(capacity),
      workers_(std::max(workers, 1u)),
      pressure_(std::min(kPressurePairs, capacity / 4)),
      batch_(std::clamp(capacity / (workers_ * 4), 1u, kMaxBatch)),
      timeouts_(timeouts),
      least_tcp_(least_timeout(timeouts, kProtocolTcp)),
      least_udp_(least_timeout(timeouts, kProtocolUdp)),
      buckets_(capacity),
      memory_(std::max<size_t>(size_t{capacity} * 2, 1) * sizeof(Entry)),
      entries_(static_cast<Entry*>(memory_.data())),
      used_(workers_),
      free_(capacity),
      shared_free_(capacity) {
  for (uint32_t i = 0; i < capacity; i++) free_[i] = capacity - 1 - i;
}

template <class F>
void FlowTable<F>::count(uint32_t index, uint32_t now_s, uint32_t bytes, uint8_t tcp_flags) {
  Entry& entry = entries_[index];
  if ((load(entry.tcp_flags) & kTcpRst) && !(tcp_flags & (kTcpRst | kTcpSyn))) {
    // Whoever has sent a reset and goes on speaking has not meant it.
    __atomic_fetch_and(&entry.tcp_flags, static_cast<uint8_t>(~kTcpRst), __ATOMIC_RELAXED);
  }
  count(entry, now_s, bytes, tcp_flags);
}

template <class F>
FlowState FlowTable<F>::state(uint32_t index) const {
  const Entry& forward = entries_[index & ~1u];
  const Entry& reply = entries_[index | 1u];
  return flow_state({entries_[index].key.protocol, load(forward.tcp_flags), load(reply.tcp_flags),
                     load(forward.packets) > 0 && load(reply.packets) > 0,
                     (forward.marks & kOneWay) != 0});
}

template <class F>
uint32_t FlowTable<F>::last_seen(uint32_t index) const {
  return std::max(load(entries_[index].last_seen), load(entries_[index ^ 1].last_seen));
}

template <class F>
bool FlowTable<F>::expired(uint32_t index, uint32_t now_s) const {
  return is_over_in(state(index), index, now_s);
}

template <class F>
bool FlowTable<F>::is_over_in(FlowState now, uint32_t index, uint32_t now_s) const {
  const uint32_t timeout = flow_timeout(timeouts_, entries_[index].key.protocol, now);
  const uint32_t last = last_seen(index);
  // Another worker's clock may be a little ahead.
  return (now_s > last ? now_s - last : 0) >= timeout;
}

template <class F>
Inserted FlowTable<F>::insert(FlowCache& cache, uint32_t worker, uint32_t now_s,
                              const Entry& forward, const Entry& reply, Removals& removals) {
  relieve(cache, worker, now_s, removals);
  if (cache.free.empty() && !refill(cache)) return {InsertOutcome::full, kNoFlow};
  const uint32_t pair = cache.free.back();
  const Key key = forward.key.tuple(), reply_key = reply.key.tuple();
  const uint32_t hash = flow_hash(key), reply_hash = flow_hash(reply_key);
  auto claim = buckets_.claim(hash), reply_claim = buckets_.claim(reply_hash);
  for (uint32_t tries = 0;;) {
    uint32_t in_the_way = kNoFlow;
    {
      const FlowBuckets::Locks locks(buckets_, claim, reply_claim);
      if (find(key, hash) != kNoFlow || find(reply_key, reply_hash) != kNoFlow) {
        return {InsertOutcome::taken, kNoFlow};
      }
      const FlowBuckets::Place place = buckets_.choose(hash);
      const auto reply_place = place ? buckets_.choose(reply_hash, place) : place;
      if (buckets_.exceeds(claim, place) || buckets_.exceeds(reply_claim, reply_place)) {
        // Others have filled them meanwhile, or one direction the other's.
        claim.reach = reply_claim.reach = FlowBuckets::Reach::both;
        continue;
      }
      if (reply_place) {
        write(pair, forward, reply);
        buckets_.put(place, hash, 2 * pair);
        buckets_.put(reply_place, reply_hash, 2 * pair + 1);
        // Last, and under the locks: whoever sees it and removes the pair finds both places
        // written.
        __atomic_store_n(&entries_[2 * pair].alive, uint8_t{1}, __ATOMIC_RELEASE);
        break;
      }
      if (tries++ < kRetries) in_the_way = oldest_to_go(place ? reply_hash : hash, now_s);
    }
    if (in_the_way == kNoFlow) return {InsertOutcome::full, kNoFlow};
    give_up(cache, in_the_way, now_s, removals);
  }
  cache.free.pop_back();
  cache.used->add(1);
  return {InsertOutcome::made, 2 * pair};
}

template <class F>
void FlowTable<F>::write(uint32_t pair, const Entry& forward, const Entry& reply) {
  auto copy = [](Entry& to, const Entry& from) {
    // `alive` is the one member that a sweep may read meanwhile.
    std::memcpy(static_cast<void*>(&to), &from, offsetof(Entry, alive));
    std::memcpy(static_cast<void*>(&to.marks), &from.marks, sizeof(Entry) - offsetof(Entry, marks));
  };
  copy(entries_[2 * pair], forward);
  copy(entries_[2 * pair + 1], reply);
}

template <class F>
bool FlowTable<F>::remove(FlowCache& cache, uint32_t index) {
  const uint32_t pair = index / 2;
  Entry* entries = &entries_[2 * pair];
  if (__atomic_exchange_n(&entries[0].alive, uint8_t{0}, __ATOMIC_ACQ_REL) == 0) return false;
  const uint32_t hash = flow_hash(entries[0].key.tuple()),
                 reply_hash = flow_hash(entries[1].key.tuple());
  buckets_.clear(hash, 2 * pair);
  buckets_.clear(reply_hash, 2 * pair + 1);
  // Whoever has found it before it went has to look again.
  for (Entry* entry : {&entries[0], &entries[1]}) entry->store_way({0, 0, entry->way.l4_delta});
  cache.used->add(-1);
  cache.pending.push_back(pair);
  return true;
}

template <class F>
bool FlowTable<F>::give_up(FlowCache& cache, uint32_t index, uint32_t now_s, Removals& removals) {
  const FlowState now = state(index);
  const bool is_over = is_over_in(now, index, now_s);
  if (!is_over && !is_expendable(now)) return false;
  if (!remove(cache, index)) return false;
  (is_over ? removals.expired : removals.evicted)++;
  return true;
}

// Pressure: before there is no room at all, connections that have not become any, and those that
// have ended, make some.
template <class F>
void FlowTable<F>::relieve(FlowCache& cache, uint32_t worker, uint32_t now_s, Removals& removals) {
  if (!is_pressed(cache, 0)) return;
  const uint32_t share = share_of(worker);
  for (uint32_t i = std::min(kHandPairs, share); i > 0; i--) {
    const uint32_t index = 2 * pair_of(worker, share, cache.hand);
    cache.hand = cache.hand + 1 < share ? cache.hand + 1 : 0;
    if (alive(index) && give_up(cache, index, now_s, removals)) return;
  }
}

template <class F>
void FlowTable<F>::prefetch_relief(const FlowCache& cache, uint32_t worker, uint32_t count) const {
  const uint32_t share = share_of(worker);
  if (!is_pressed(cache, count) || share < 2 * kMaxBurst) return;
  for (uint32_t n = cache.hand; n < cache.hand + count; n++) {
    prefetch_pair(pair_of(worker, share, n + count));
    const uint32_t index = 2 * pair_of(worker, share, n);
    if (alive(index)) prefetch_removal(index);
  }
}

template <class F>
void FlowTable<F>::prefetch_relief_overflow(const FlowCache& cache, uint32_t worker,
                                            uint32_t count) const {
  const uint32_t share = share_of(worker);
  if (!is_pressed(cache, count) || share < 2 * kMaxBurst) return;
  for (uint32_t n = cache.hand; n < cache.hand + count; n++) {
    const uint32_t index = 2 * pair_of(worker, share, n);
    if (!alive(index)) continue;
    for (const uint32_t entry : {index, index + 1}) {
      buckets_.prefetch_to_clear(flow_hash(entries_[entry].key.tuple()), entry);
    }
  }
}

template <class F>
uint32_t FlowTable<F>::oldest_to_go(uint32_t hash, uint32_t now_s) const {
  uint32_t oldest = kNoFlow;
  buckets_.each(hash, [&](uint32_t index) {
    if (!alive(index) || !may_go(index, now_s)) return;
    if (oldest == kNoFlow || last_seen(index) < last_seen(oldest)) oldest = index;
  });
  return oldest;
}

template <class F>
uint32_t FlowTable<F>::used() const {
  int32_t sum = 0;
  for (const PairCount& count : used_) sum += count.get();
  // A pair that one worker has made and another one removed may be seen the other way round.
  return static_cast<uint32_t>(std::max(sum, 0));
}

template <class F>
void FlowTable<F>::attach(FlowCache& cache) {
  cache.used = &used_[attached_.fetch_add(1, std::memory_order_relaxed) % workers_];
  cache.free.reserve(4 * batch_);
  refill(cache);
}

template <class F>
bool FlowTable<F>::refill(FlowCache& cache) {
  const SpinGuard guard(free_lock_);
  const auto count = static_cast<ptrdiff_t>(std::min<size_t>(batch_, free_.size()));
  cache.free.insert(cache.free.end(), free_.end() - count, free_.end());
  free_.erase(free_.end() - count, free_.end());
  shared_free_.store(static_cast<uint32_t>(free_.size()), std::memory_order_relaxed);
  return count > 0;
}

// Flows that one worker makes and another removes would gather there: the bottom of the stack goes
// back.
template <class F>
void FlowTable<F>::give_back(FlowCache& cache) {
  if (cache.free.size() < 3 * size_t{batch_}) return;
  const auto surplus = static_cast<ptrdiff_t>(cache.free.size() - batch_);
  const SpinGuard guard(free_lock_);
  free_.insert(free_.end(), cache.free.begin(), cache.free.begin() + surplus);
  cache.free.erase(cache.free.begin(), cache.free.begin() + surplus);
  shared_free_.store(static_cast<uint32_t>(free_.size()), std::memory_order_relaxed);
}

template class FlowTable<Ipv4>;
template class FlowTable<Ipv6>;

}  // namespace sluice
