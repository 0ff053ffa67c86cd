// SPDX-License-Identifier: Apache-2.0
// Theory of operation. One table for all workers and one family; connections, both directions each.
// Buckets (flow_buckets.h) lead to entries of one cache line (IPv6: two); the two directions of a
// connection are entries 2k (forward) and 2k+1 (reply). Readers take no lock. An entry that was
// removed stays readable until every worker has passed a quiescent state: each worker keeps what it
// freed in its FlowCache and gets it back through seal()/release(). Memory holds no pointers.
// Established connections are never given up for new ones; embryonic and ended ones are. Hash,
// buckets, states, timeouts, pressure: docs/packet-path.md.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <vector>

#include "base/limits.h"
#include "base/zeroed_memory.h"
#include "packet/burst.h"
#include "packet/headers.h"
#include "table/flow_buckets.h"
#include "table/flow_entry.h"
#include "table/flow_state.h"

namespace sluice {

// On a line of its own: written by one worker with each new flow, read by anybody.
class alignas(64) PairCount {
 public:
  void add(int32_t n) {
    count_.store(count_.load(std::memory_order_relaxed) + n, std::memory_order_relaxed);
  }
  int32_t get() const { return count_.load(std::memory_order_relaxed); }

 private:
  std::atomic<int32_t> count_{0};
};

// Which entries one worker may hand out and which it has freed. Owned by that worker. Between polls
// the engine calls release() once every worker has passed the token of the last seal(), then
// seal(). One for each family.
class FlowCache {
 public:
  // Puts what was freed since the last seal aside. False: nothing freed, or a seal still waits.
  bool seal(uint64_t token);
  // Makes what was sealed free for reuse.
  void release();

  std::vector<uint32_t> free;     // pairs, a stack
  std::vector<uint32_t> pending;  // freed since the last seal
  std::vector<uint32_t> sealed;   // waiting for quiescence
  uint64_t seal_token = 0;        // the engine's RCU token for `sealed`
  uint32_t sweep_next = 0;        // next pair to sweep, of this worker's share
  PairCount* used = nullptr;      // the table's, of this cache
  uint32_t hand = 0;              // next pair to look at under pressure, of this worker's share
};

// Pairs that a call has removed, by why.
struct Removals {
  uint32_t expired = 0;
  uint32_t evicted = 0;  // embryonic or ended, for want of room
  uint32_t cleared = 0;  // backend gone or flushed
};

enum class InsertOutcome : uint8_t {
  made,
  taken,  // another worker was faster with one of the keys
  full
};
struct Inserted {
  InsertOutcome outcome;
  uint32_t index;  // of the forward entry, where made
};

template <class F>
class FlowTable {
 public:
  using Entry = FlowEntry<F>;
  using Key = FiveTuple<F>;

  // `capacity`: connections. Throws std::bad_alloc.
  FlowTable(uint32_t capacity, uint32_t workers, const Timeouts& timeouts);
  FlowTable(const FlowTable&) = delete;
  FlowTable& operator=(const FlowTable&) = delete;

  // Entry of this direction, or kNoFlow. Any thread.
  uint32_t find(const Key& key, uint32_t hash) const {
    return buckets_.find(hash, [&](uint32_t index) { return entries_[index].is_of(key); });
  }
  [[gnu::always_inline]] void prefetch_bucket(uint32_t hash) const { buckets_.prefetch(hash); }
  // What the n-th insertion from now will write, for a key of this hash.
  [[gnu::always_inline]] void prefetch_insertion(const FlowCache& cache, uint32_t n,
                                                 uint32_t hash) const {
    buckets_.prefetch_to_write(hash);
    if (n < cache.free.size()) prefetch_pair(cache.free[cache.free.size() - 1 - n]);
  }
  // And what it does not find in the first bucket of a key, which has been prefetched.
  [[gnu::always_inline]] void prefetch_overflow(uint32_t hash) const {
    buckets_.prefetch_other(hash);
  }
  // Where the next `count` insertions, a burst's at most, come to pressure: the first buckets of
  // the pairs that make room for them in all likelihood, and the pairs that will for as many later
  // ones.
  void prefetch_relief(const FlowCache& cache, uint32_t worker, uint32_t count) const;
  // And what is not in those buckets.
  void prefetch_relief_overflow(const FlowCache& cache, uint32_t worker, uint32_t count) const;
  // The entry that this hash leads to in all likelihood, on its way into the cache; or kNoFlow; or
  // kMaybeElsewhere, and prefetch_entry_elsewhere has to be asked. Reads a bucket. `pair`: the
  // other direction's as well, on which what a SYN or RST means depends.
  [[gnu::always_inline]] uint32_t prefetch_entry(uint32_t hash, bool pair) const {
    return prefetch_entry_at(buckets_.guess(hash), pair);
  }
  [[gnu::always_inline]] uint32_t prefetch_entry_elsewhere(uint32_t hash, bool pair) const {
    return prefetch_entry_at(buckets_.guess_elsewhere(hash), pair);
  }

  Entry& entry(uint32_t index) { return entries_[index]; }
  const Entry& entry(uint32_t index) const { return entries_[index]; }

  // Counts a packet of this direction. Any worker: one direction arrives at one of them as a rule;
  // where it arrives at two, a count may get lost, but never a flag.
  void count(uint32_t index, uint32_t now_s, uint32_t bytes, uint8_t tcp_flags);
  // The same, of an entry whose direction has sent no reset that it may take back.
  static void count(Entry& entry, uint32_t now_s, uint32_t bytes, uint8_t tcp_flags) {
    auto add = [](uint64_t& counter, uint64_t n) {
      __atomic_store_n(&counter, __atomic_load_n(&counter, __ATOMIC_RELAXED) + n, __ATOMIC_RELAXED);
    };
    __atomic_store_n(&entry.last_seen, now_s, __ATOMIC_RELAXED);
    add(entry.packets, 1);
    add(entry.bytes, bytes);
    if ((tcp_flags & ~__atomic_load_n(&entry.tcp_flags, __ATOMIC_RELAXED)) != 0) {
      __atomic_fetch_or(&entry.tcp_flags, tcp_flags, __ATOMIC_RELAXED);
    }
  }

  // Inserts both directions; the caller has made sure that neither key is present in its own view.
  // All but `alive` is taken from `forward` and `reply`: the first packet is counted already when
  // others first see the pair. Makes room under pressure; what was removed is added to `removals`,
  // whatever the outcome.
  Inserted insert(FlowCache& cache, uint32_t worker, uint32_t now_s, const Entry& forward,
                  const Entry& reply, Removals& removals);
  // Removes both directions. False: somebody else has done so.
  bool remove(FlowCache& cache, uint32_t index);

  // The pair cannot have expired, nor has this direction sent a reset that it may take back: says
  // the entry alone, without the other direction's.
  bool is_lively(const Entry& entry, uint32_t now_s) const {
    const uint8_t seen = __atomic_load_n(&entry.tcp_flags, __ATOMIC_RELAXED);
    const uint32_t last = __atomic_load_n(&entry.last_seen, __ATOMIC_RELAXED);
    const uint32_t least = entry.key.protocol == kProtocolUdp ? least_udp_ : least_tcp_;
    return (seen & kTcpRst) == 0 && (now_s > last ? now_s - last : 0) < least;
  }
  FlowState state(uint32_t index) const;  // of the pair
  bool expired(uint32_t index, uint32_t now_s) const;
  bool expendable(uint32_t index) const { return is_expendable(state(index)); }
  bool alive(uint32_t index) const {
    return __atomic_load_n(&entries_[index & ~1u].alive, __ATOMIC_ACQUIRE) != 0;
  }

  // Looks at the next `count` pairs of this worker's share: removes expired ones, and those for
  // which `stale(forward entry)` says so (UDP or echo whose backend is gone or flushed).
  template <class Stale>
  Removals sweep(FlowCache& cache, uint32_t worker, uint32_t count, uint32_t now_s, Stale&& stale) {
    give_back(cache);
    Removals removals;
    for (uint32_t left = std::min(count, share_of(worker)); left > 0;) {
      const uint32_t some = std::min(left, kSweepStep);
      sweep_some(cache, worker, some, now_s, stale, removals);
      left -= some;
    }
    return removals;
  }

  uint32_t capacity() const { return capacity_; }  // connections
  uint32_t used() const;                           // connections
  // Pairs that the cache's owner could get; what lies in the caches of others is theirs. With one
  // worker all that are neither in use nor waiting in the cache.
  size_t free_pairs(const FlowCache& cache) const {
    return cache.free.size() + shared_free_.load(std::memory_order_relaxed);
  }
  // For those who count what is written.
  std::span<const std::byte> memory_of_buckets() const { return buckets_.memory(); }
  std::span<const std::byte> memory_of_entries() const { return memory_.bytes(); }
  // Gives `cache` its first free pairs; the rest is fetched as needed. Each worker's, once.
  void attach(FlowCache& cache);

 private:
  static constexpr size_t kLine = 64;         // bytes
  static constexpr uint32_t kSweepStep = 32;  // pairs

  uint32_t share_of(uint32_t worker) const {  // pairs
    return worker >= capacity_ ? 0 : (capacity_ - worker + workers_ - 1) / workers_;
  }
  uint32_t last_seen(uint32_t index) const;  // of the pair
  [[gnu::always_inline]] uint32_t prefetch_entry_at(uint32_t index, bool pair) const {
    if (index >= kMaybeElsewhere) return index;
    const auto* entry = reinterpret_cast<const char*>(&entries_[index]);
    if (pair) __builtin_prefetch(&entries_[index ^ 1]);
    for (size_t at = 0; at < sizeof(Entry); at += kLine) __builtin_prefetch(entry + at, 1);
    return index;
  }
  // The n-th pair of a worker's share, which is a circle; n < 2 * share.
  uint32_t pair_of(uint32_t worker, uint32_t share, uint32_t n) const {
    return (n < share ? n : n - share) * workers_ + worker;
  }
  [[gnu::always_inline]] void prefetch_removal(uint32_t index) const {
    for (const uint32_t entry : {index, index ^ 1}) {
      buckets_.prefetch_to_write(flow_hash(entries_[entry].key.tuple()));
    }
  }
  [[gnu::always_inline]] void prefetch_pair(uint32_t pair) const {
    const auto* bytes = reinterpret_cast<const char*>(&entries_[2 * pair]);
    for (size_t at = 0; at < 2 * sizeof(Entry); at += kLine) __builtin_prefetch(bytes + at, 1);
  }
  // Whether so many insertions come to pressure.
  bool is_pressed(const FlowCache& cache, uint32_t insertions) const {
    return free_pairs(cache) < size_t{pressure_} + insertions;
  }
  bool may_go(uint32_t index, uint32_t now_s) const {
    return expendable(index) || expired(index, now_s);
  }
  // Not yet a connection, or no more.
  static bool is_expendable(FlowState state) {
    return state <= FlowState::syn_received || state >= FlowState::time_wait;
  }
  bool is_over_in(FlowState state, uint32_t index, uint32_t now_s) const;
  // In step: the buckets of all pairs that are to go are fetched before one of them is used.
  template <class Stale>
  void sweep_some(FlowCache& cache, uint32_t worker, uint32_t count, uint32_t now_s, Stale& stale,
                  Removals& removals) {
    const uint32_t share = share_of(worker);
    uint32_t due[kSweepStep], due_count = 0;
    for (uint32_t i = 0; i < count; i++) {
      const uint32_t index = 2 * pair_of(worker, share, cache.sweep_next);
      if (share > kSweepStep) {
        prefetch_pair(pair_of(worker, share, cache.sweep_next + kSweepStep));
      }
      cache.sweep_next = cache.sweep_next + 1 < share ? cache.sweep_next + 1 : 0;
      if (!alive(index) || !(expired(index, now_s) || stale(entries_[index]))) continue;
      prefetch_removal(index);
      due[due_count++] = index;
    }
    for (const uint32_t index : std::span(due, due_count)) {
      if (expired(index, now_s)) {
        removals.expired += remove(cache, index);
      } else if (stale(entries_[index])) {
        removals.cleared += remove(cache, index);
      }
    }
  }
  // False: it may not go, or somebody else has removed it.
  bool give_up(FlowCache& cache, uint32_t index, uint32_t now_s, Removals& removals);
  void relieve(FlowCache& cache, uint32_t worker, uint32_t now_s, Removals& removals);
  // The caller holds the locks of the hash. Entry, or kNoFlow.
  uint32_t oldest_to_go(uint32_t hash, uint32_t now_s) const;
  void write(uint32_t pair, const Entry& forward, const Entry& reply);
  bool refill(FlowCache& cache);
  void give_back(FlowCache& cache);

  uint32_t capacity_;
  uint32_t workers_;
  uint32_t pressure_;  // free pairs below which it begins
  uint32_t batch_;     // pairs that move between a cache and free_ at once
  Timeouts timeouts_;
  uint32_t least_tcp_, least_udp_;  // the shortest of the protocol's timeouts
  FlowBuckets buckets_;
  ZeroedMemory memory_;
  Entry* entries_;
  std::vector<PairCount> used_;  // of each worker's making, less those it has removed
  std::atomic<uint32_t> attached_{0};
  // What hits read lies on other lines.
  alignas(64) std::atomic_flag free_lock_ = ATOMIC_FLAG_INIT;
  std::vector<uint32_t> free_;         // pairs, a stack, under free_lock_
  std::atomic<uint32_t> shared_free_;  // how many there are in free_
};

extern template class FlowTable<Ipv4>;
extern template class FlowTable<Ipv6>;

}  // namespace sluice
