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
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "base/family.h"
#include "base/limits.h"
#include "base/zeroed_memory.h"
#include "packet/burst.h"
#include "table/flow_buckets.h"
#include "table/flow_state.h"

namespace sluice {

template <class F>
struct alignas(64) FlowEntry {
  FiveTuple<F> key;                 // as this direction's packets arrive
  typename F::Address source;       // as they leave
  typename F::Address destination;  // as they leave
  be16 source_port;
  be16 destination_port;
  uint16_t ip_delta;  // one's complement sum of ~old + new over the addresses
  uint16_t l4_delta;  // the same over addresses and ports (ICMPv4: the identifier alone)
  uint8_t tcp_flags;  // seen in this direction
  uint8_t alive;      // of the pair; meaningful in the forward entry. Accessed atomically
  uint16_t reserved;
  uint32_t last_seen;     // seconds; 0 packets: never
  uint32_t backend_slot;  // forward and reply alike
  uint32_t backend_serial;
  uint64_t packets;
  uint64_t bytes;
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
  uint32_t find(const Key& key, uint32_t hash) const;
  void prefetch_bucket(uint32_t hash) const;
  void prefetch_entry(uint32_t hash) const;  // reads the primary bucket

  Entry& entry(uint32_t index) { return entries_[index]; }
  const Entry& entry(uint32_t index) const { return entries_[index]; }

  // Counts a packet of this direction. Any worker.
  void count(uint32_t index, uint32_t now_s, uint32_t bytes, uint8_t tcp_flags);

  // Inserts both directions; the caller has made sure that neither key is present in its own view.
  // All but `alive` is taken from `forward` and `reply`: the first packet is counted already when
  // others first see the pair. Makes room under pressure; what was removed is added to `removals`,
  // whatever the outcome.
  Inserted insert(FlowCache& cache, uint32_t worker, uint32_t now_s, const Entry& forward,
                  const Entry& reply, Removals& removals);
  // Removes both directions. False: somebody else has done so.
  bool remove(FlowCache& cache, uint32_t index);

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
  FlowBuckets buckets_;
  ZeroedMemory memory_;
  Entry* entries_;
  std::atomic<uint32_t> used_{0};
  std::atomic_flag free_lock_ = ATOMIC_FLAG_INIT;
  std::vector<uint32_t> free_;         // pairs, a stack, under free_lock_
  std::atomic<uint32_t> shared_free_;  // how many there are in free_
};

extern template class FlowTable<Ipv4>;
extern template class FlowTable<Ipv6>;

}  // namespace sluice
