// SPDX-License-Identifier: Apache-2.0
// Theory of operation. One table for all workers; IPv4 connections, both directions each.
// Buckets of 8 places (16-bit tag, entry index) point to entries of one cache line; the two
// directions of a connection are entries 2k (forward) and 2k+1 (reply). Readers take no lock: they
// compare the entry's key, so a half-written place is at worst a miss. Writers lock the buckets
// they touch. An entry that was removed stays readable until every worker has passed a quiescent
// state: each worker keeps what it freed in its FlowCache and gets it back through
// seal()/release(). Memory holds no pointers. Hash, buckets, states and timeouts:
// docs/packet-path.md.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/endian.h"
#include "base/limits.h"
#include "packet/burst.h"

namespace sluice {

enum class FlowState : uint8_t { unreplied, established, close_wait, closed };

struct alignas(64) FlowEntry {
  FiveTuple key;     // as this direction's packets arrive
  be32 new_address;  // forward: new destination; reply: new source
  be16 new_port;
  uint16_t ip_delta;      // one's complement sum of ~old + new over the address
  uint16_t l4_delta;      // the same over address and port
  uint8_t tcp_flags;      // seen in this direction
  uint8_t alive;          // of the pair; meaningful in the forward entry. Accessed atomically
  uint32_t last_seen;     // seconds; 0 packets: never
  uint32_t backend_slot;  // forward and reply alike
  uint32_t pool;
  uint64_t packets;
  uint64_t bytes;
};
static_assert(sizeof(FlowEntry) == 64);

// Which entries one worker may hand out and which it has freed. Owned by that worker. Between polls
// the engine calls release() once every worker has passed the token of the last seal(), then
// seal().
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
  uint32_t sweep_next = 0;        // next pair to sweep
};

class FlowTable {
 public:
  explicit FlowTable(const Limits& limits);  // throws std::bad_alloc
  ~FlowTable();
  FlowTable(const FlowTable&) = delete;
  FlowTable& operator=(const FlowTable&) = delete;

  // Entry of this direction, or kNoFlow. Any thread.
  uint32_t find(const FiveTuple& key, uint32_t hash) const;
  void prefetch_bucket(uint32_t hash) const;
  void prefetch_entry(uint32_t hash) const;  // reads the primary bucket

  FlowEntry& entry(uint32_t index) { return entries_[index]; }
  const FlowEntry& entry(uint32_t index) const { return entries_[index]; }

  // Counts a packet of this direction. Any worker.
  void count(uint32_t index, uint32_t now_s, uint32_t bytes, uint8_t tcp_flags);

  // Inserts both directions; the caller has made sure that neither key is present in its own view.
  // All but `alive` is taken from `forward` and `reply`: the first packet is counted already when
  // others first see the pair. kNoFlow: full, or another worker was faster with one of the keys
  // (then nothing has changed). Else the forward entry's index.
  uint32_t insert(FlowCache& cache, const FlowEntry& forward, const FlowEntry& reply);
  // Removes both directions. False: somebody else has done so.
  bool remove(FlowCache& cache, uint32_t index);

  FlowState state(uint32_t index) const;  // of the pair
  bool expired(uint32_t index, uint32_t now_s) const;
  // Looks at the next `count` pairs of this worker's share and removes expired ones; returns how
  // many.
  uint32_t sweep(FlowCache& cache, uint32_t worker, uint32_t count, uint32_t now_s);

  uint32_t capacity() const { return capacity_; }  // connections
  uint32_t used() const { return used_.load(std::memory_order_relaxed); }
  // Gives `cache` its first free pairs; the rest is fetched as needed.
  void attach(FlowCache& cache);

  static constexpr uint32_t kPlaces = 8;

 private:
  // One cache line. An index is stored plus one, so that zeroed memory is an empty table.
  struct alignas(64) Bucket {
    uint16_t tags[kPlaces];
    uint32_t indices[kPlaces];
    uint32_t lock;
  };
  static_assert(sizeof(Bucket) == 64);
  struct Place {
    Bucket* bucket;  // null: none
    uint32_t number;
  };
  class BucketLocks;

  Bucket& primary(uint32_t hash) const { return buckets_[hash & bucket_mask_]; }
  Bucket& secondary(uint32_t hash) const {
    return buckets_[(hash ^ (((hash >> 16) + 1) * 0x5bd1e995u)) & bucket_mask_];
  }
  uint32_t search(const Bucket& bucket, const FiveTuple& key, uint32_t hash) const;
  Place choose(uint32_t hash, Place taken) const;  // the buckets are locked
  void clear(uint32_t index, uint32_t hash);       // the buckets are locked
  bool refill(FlowCache& cache);
  void give_back(FlowCache& cache);

  Bucket* buckets_ = nullptr;
  FlowEntry* entries_ = nullptr;
  size_t bucket_bytes_ = 0;
  size_t entry_bytes_ = 0;
  uint32_t bucket_mask_ = 0;
  uint32_t capacity_ = 0;
  uint32_t workers_ = 1;
  uint32_t batch_ = 1;  // pairs that move between a cache and free_ at once
  FlowTimeouts timeouts_;
  std::atomic<uint32_t> used_{0};
  std::atomic_flag free_lock_ = ATOMIC_FLAG_INIT;
  std::vector<uint32_t> free_;  // pairs, a stack, under free_lock_
};

}  // namespace sluice
