// SPDX-License-Identifier: Apache-2.0
// Theory of operation. One table for all workers and one family; connections, both directions each.
// Buckets (flow_buckets.h) lead to entries of one cache line (IPv6: two); the two directions of a
// connection are entries 2k (forward) and 2k+1 (reply). Readers take no lock. An entry that was
// removed stays readable until every worker has passed a quiescent state: each worker keeps what it
// freed in its FlowCache and gets it back through seal()/release(). Memory holds no pointers.
// Established connections are never given up for new ones; embryonic ones are. Hash, buckets,
// states, timeouts, pressure: docs/packet-path.md.
#pragma once

#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <vector>

#include "base/family.h"
#include "base/limits.h"
#include "base/zeroed_memory.h"
#include "packet/burst.h"
#include "packet/headers.h"
#include "table/flow_buckets.h"
#include "table/flow_state.h"

namespace sluice {

// A five-tuple without its padding.
template <class F>
struct FlowKey {
  typename F::Address source;
  typename F::Address destination;
  be16 source_port;
  be16 destination_port;
  uint8_t protocol;

  FiveTuple<F> tuple() const {
    return {source, destination, source_port, destination_port, protocol, {}};
  }
};
static_assert(sizeof(FlowKey<Ipv4>) == 13 && sizeof(FlowKey<Ipv6>) == 37);

// What a packet needs besides its new addresses. The adjacency is what the latest packet that went
// through all stages has found, and holds for snapshots of this stamp (stage/shortcut). One word,
// so that several workers can read and write it.
struct alignas(8) FlowWay {
  uint32_t stamp;      // 0: no snapshot has it
  uint16_t adjacency;  // see stage/adjacencies.h
  uint16_t l4_delta;   // one's complement sum of ~old + new over addresses and ports (ICMPv4: the
                       // identifier alone)
};
static_assert(sizeof(FlowWay) == 8);

template <class F>
struct alignas(64) FlowEntry {
  FlowKey<F> key;     // as this direction's packets arrive
  uint8_t tcp_flags;  // seen in this direction
  uint8_t alive;      // of the pair; meaningful in the forward entry. Accessed atomically
  uint8_t reserved;
  typename F::Address source;       // as they leave
  typename F::Address destination;  // as they leave
  be16 source_port;
  be16 destination_port;
  uint32_t last_seen;  // seconds; 0 packets: never
  FlowWay way;
  uint32_t backend_slot;  // forward and reply alike
  uint32_t backend_serial;
  uint64_t packets;
  uint64_t bytes;

  bool is_of(const FiveTuple<F>& tuple) const {
    // The key's last word ends with what is no part of it.
    constexpr size_t kWords = sizeof(FiveTuple<F>) / 8;
    constexpr uint64_t kLastOfKey = ~uint64_t{0} >> 24;
    uint64_t mine[kWords], theirs[kWords], differences = 0;
    std::memcpy(mine, this, sizeof(mine));
    std::memcpy(theirs, &tuple, sizeof(theirs));
    mine[kWords - 1] &= kLastOfKey;
    for (size_t i = 0; i < kWords; i++) differences |= mine[i] ^ theirs[i];
    return differences == 0;
  }
  FlowWay load_way() const {
    return std::bit_cast<FlowWay>(
        __atomic_load_n(reinterpret_cast<const uint64_t*>(&way), __ATOMIC_RELAXED));
  }
  void store_way(FlowWay next) {
    __atomic_store_n(reinterpret_cast<uint64_t*>(&way), std::bit_cast<uint64_t>(next),
                     __ATOMIC_RELAXED);
  }
};
static_assert(sizeof(FlowEntry<Ipv4>) == 64 && sizeof(FlowEntry<Ipv6>) == 128);

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
  uint32_t hand = 0;              // next pair to look at under pressure, of this worker's share
};

// Pairs that a call has removed, by why.
struct Removals {
  uint32_t expired = 0;
  uint32_t evicted = 0;  // embryonic, for want of room
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
  void prefetch_bucket(uint32_t hash) const { buckets_.prefetch(hash); }
  // What the n-th insertion from now will write, for a key of this hash.
  void prefetch_insertion(const FlowCache& cache, uint32_t n, uint32_t hash) const {
    buckets_.prefetch_to_write(hash);
    if (n >= cache.free.size()) return;
    const auto* pair =
        reinterpret_cast<const char*>(&entries_[2 * cache.free[cache.free.size() - 1 - n]]);
    for (size_t at = 0; at < 2 * sizeof(Entry); at += kLine) __builtin_prefetch(pair + at, 1);
  }
  // The entry that this hash leads to in all likelihood, on its way into the cache; or kNoFlow.
  // Reads a bucket. `pair`: the other direction's as well, on which a change of state depends.
  uint32_t prefetch_entry(uint32_t hash, bool pair) const {
    const uint32_t index = buckets_.guess(hash);
    if (index == kNoFlow) return index;
    const auto* entry = reinterpret_cast<const char*>(&entries_[index]);
    if (pair) __builtin_prefetch(&entries_[index ^ 1]);
    for (size_t at = 0; at < sizeof(Entry); at += kLine) __builtin_prefetch(entry + at, 1);
    return index;
  }

  Entry& entry(uint32_t index) { return entries_[index]; }
  const Entry& entry(uint32_t index) const { return entries_[index]; }

  // Counts a packet of this direction. Any worker: one direction arrives at one of them as a rule;
  // where it arrives at two, a count may get lost, but never a flag.
  void count(uint32_t index, uint32_t now_s, uint32_t bytes, uint8_t tcp_flags);
  // The same, of one that has no flag that the entry has not.
  static void count(Entry& entry, uint32_t now_s, uint32_t bytes) {
    auto add = [](uint64_t& counter, uint64_t n) {
      __atomic_store_n(&counter, __atomic_load_n(&counter, __ATOMIC_RELAXED) + n, __ATOMIC_RELAXED);
    };
    __atomic_store_n(&entry.last_seen, now_s, __ATOMIC_RELAXED);
    add(entry.packets, 1);
    add(entry.bytes, bytes);
  }

  // Inserts both directions; the caller has made sure that neither key is present in its own view.
  // All but `alive` is taken from `forward` and `reply`: the first packet is counted already when
  // others first see the pair. Makes room under pressure; what was removed is added to `removals`,
  // whatever the outcome.
  Inserted insert(FlowCache& cache, uint32_t worker, uint32_t now_s, const Entry& forward,
                  const Entry& reply, Removals& removals);
  // Removes both directions. False: somebody else has done so.
  bool remove(FlowCache& cache, uint32_t index);

  // A packet of this direction would leave the pair's state as it is, and it cannot have expired:
  // says the entry alone, without the other direction's.
  bool is_steady(const Entry& entry, uint32_t now_s, uint8_t tcp_flags) const {
    const uint8_t seen = __atomic_load_n(&entry.tcp_flags, __ATOMIC_RELAXED);
    const uint32_t last = __atomic_load_n(&entry.last_seen, __ATOMIC_RELAXED);
    const uint32_t least = entry.key.protocol == kProtocolUdp ? least_udp_ : least_tcp_;
    return (tcp_flags & ~seen & 0xff) == 0 && (seen & kTcpRst) == 0 &&
           (now_s > last ? now_s - last : 0) < least;
  }
  FlowState state(uint32_t index) const;  // of the pair
  bool expired(uint32_t index, uint32_t now_s) const;
  bool embryonic(uint32_t index) const { return state(index) <= FlowState::syn_received; }
  bool alive(uint32_t index) const {
    return __atomic_load_n(&entries_[index & ~1u].alive, __ATOMIC_ACQUIRE) != 0;
  }

  // Looks at the next `count` pairs of this worker's share: removes expired ones, and those for
  // which `stale(forward entry)` says so (UDP or echo whose backend is gone or flushed).
  template <class Stale>
  Removals sweep(FlowCache& cache, uint32_t worker, uint32_t count, uint32_t now_s, Stale&& stale) {
    give_back(cache);
    Removals removals;
    const uint32_t share = share_of(worker);
    for (uint32_t i = count < share ? count : share; i > 0; i--) {
      const uint32_t index = 2 * (cache.sweep_next * workers_ + worker);
      cache.sweep_next = (cache.sweep_next + 1) % share;
      if (!alive(index)) continue;
      if (expired(index, now_s)) {
        removals.expired += remove(cache, index);
      } else if (stale(entries_[index])) {
        removals.cleared += remove(cache, index);
      }
    }
    return removals;
  }

  uint32_t capacity() const { return capacity_; }  // connections
  uint32_t used() const { return used_.load(std::memory_order_relaxed); }
  // Pairs that the cache's owner could get; what lies in the caches of others is theirs. With one
  // worker all that are neither in use nor waiting in the cache.
  size_t free_pairs(const FlowCache& cache) const {
    return cache.free.size() + shared_free_.load(std::memory_order_relaxed);
  }
  // For those who count what is written.
  std::span<const std::byte> memory_of_buckets() const { return buckets_.memory(); }
  std::span<const std::byte> memory_of_entries() const { return memory_.bytes(); }
  // Gives `cache` its first free pairs; the rest is fetched as needed.
  void attach(FlowCache& cache);

 private:
  static constexpr size_t kLine = 64;  // bytes

  uint32_t share_of(uint32_t worker) const {  // pairs
    return worker >= capacity_ ? 0 : (capacity_ - worker + workers_ - 1) / workers_;
  }
  uint32_t last_seen(uint32_t index) const;  // of the pair
  bool may_go(uint32_t index, uint32_t now_s) const {
    return embryonic(index) || expired(index, now_s);
  }
  // False: somebody else has removed it.
  bool give_up(FlowCache& cache, uint32_t index, uint32_t now_s, Removals& removals);
  void relieve(FlowCache& cache, uint32_t worker, uint32_t now_s, Removals& removals);
  // The caller holds the locks of the hash. Entry, or kNoFlow.
  uint32_t oldest_to_go(uint32_t hash, uint32_t now_s) const;
  void write(uint32_t pair, const Entry& forward, const Entry& reply);
  bool refill(FlowCache& cache);
  void give_back(FlowCache& cache);

  uint32_t capacity_;
  uint32_t workers_;
  uint32_t batch_;  // pairs that move between a cache and free_ at once
  Timeouts timeouts_;
  uint32_t least_tcp_, least_udp_;  // the shortest of the protocol's timeouts
  FlowBuckets buckets_;
  ZeroedMemory memory_;
  Entry* entries_;
  // Every new flow writes these; what hits read lies on other lines.
  alignas(64) std::atomic<uint32_t> used_{0};
  std::atomic_flag free_lock_ = ATOMIC_FLAG_INIT;
  std::vector<uint32_t> free_;         // pairs, a stack, under free_lock_
  std::atomic<uint32_t> shared_free_;  // how many there are in free_
};

extern template class FlowTable<Ipv4>;
extern template class FlowTable<Ipv6>;

}  // namespace sluice
