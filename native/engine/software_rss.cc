// SPDX-License-Identifier: Apache-2.0
#include "engine/software_rss.h"

#include <rte_mbuf.h>
#include <rte_prefetch.h>
#include <rte_ring.h>

#include <algorithm>
#include <string>

#include "engine/rss_hash.h"

namespace sluice {

SoftwareRss::SoftwareRss(uint16_t slot, uint32_t owner, uint32_t workers)
    : slot_(slot), owner_(owner), rings_(workers) {}

std::unique_ptr<SoftwareRss> SoftwareRss::make(uint16_t slot, uint32_t owner, uint32_t workers) {
  std::unique_ptr<SoftwareRss> rss(new SoftwareRss(slot, owner, workers));
  for (uint32_t worker = 0; worker < workers; ++worker) {
    if (worker == owner) continue;
    const std::string name = "sluice_rss" + std::to_string(slot) + "_" + std::to_string(worker);
    rss->rings_[worker] = make_mbuf_ring(name, kRingFrames, Producers::one);
    if (!rss->rings_[worker]) return nullptr;
  }
  return rss;
}

uint32_t SoftwareRss::worker_of(const uint8_t* frame, uint32_t length) const {
  const std::optional<uint32_t> hash = symmetric_hash(frame, length);
  if (!hash) return owner_;
  return static_cast<uint32_t>(uint64_t{*hash} * rings_.size() >> 32);
}

uint32_t SoftwareRss::spread(rte_mbuf** mbufs, uint32_t count, CounterBlock& counters) const {
  const auto workers = static_cast<uint32_t>(rings_.size());
  uint32_t ends[kMostWorkers];  // of each worker's part
  uint32_t targets[kMaxBurst];
  rte_mbuf* sorted[kMaxBurst];
  for (uint32_t i = 0; i < count; ++i) rte_prefetch0(rte_pktmbuf_mtod(mbufs[i], void*));
  std::fill_n(ends, workers, 0);
  for (uint32_t i = 0; i < count; ++i) {
    targets[i] = worker_of(rte_pktmbuf_mtod(mbufs[i], const uint8_t*), mbufs[i]->data_len);
    ++ends[targets[i]];
  }
  // A counting sort, which keeps the order within each worker's part: every entry becomes where the
  // part begins, and in the second loop where it ends.
  uint32_t begin = 0;
  for (uint32_t worker = 0; worker < workers; ++worker) {
    const uint32_t part = ends[worker];
    ends[worker] = begin;
    begin += part;
  }
  for (uint32_t i = 0; i < count; ++i) sorted[ends[targets[i]]++] = mbufs[i];
  uint32_t own = 0;
  begin = 0;
  for (uint32_t worker = 0; worker < workers; begin = ends[worker++]) {
    const uint32_t part = ends[worker] - begin;
    if (part == 0) continue;
    if (worker == owner_) {
      own = part;
      std::copy_n(sorted + begin, part, mbufs);
    } else {
      hand_on(worker, sorted + begin, part, counters);
    }
  }
  return own;
}

void SoftwareRss::hand_on(uint32_t worker, rte_mbuf** mbufs, uint32_t count,
                          CounterBlock& counters) const {
  const uint32_t taken =
      rte_ring_enqueue_burst(rings_[worker].get(), reinterpret_cast<void**>(mbufs), count, nullptr);
  counters.add(WorkerCounter::steered, taken);
  if (taken == count) return;
  const uint32_t lost = count - taken;
  counters.add(WorkerCounter::rx, lost);
  counters.drop(DropReason::handoff_full, lost);
  counters.add(slot_, InterfaceCounter::rx_packets, lost);
  for (uint32_t i = taken; i < count; ++i) {
    counters.add(slot_, InterfaceCounter::rx_bytes, mbufs[i]->pkt_len);
    rte_pktmbuf_free(mbufs[i]);
  }
}

uint32_t SoftwareRss::take(uint32_t worker, rte_mbuf** mbufs, uint32_t most) const {
  return rte_ring_dequeue_burst(rings_[worker].get(), reinterpret_cast<void**>(mbufs), most,
                                nullptr);
}

}  // namespace sluice
