// SPDX-License-Identifier: Apache-2.0
#include "engine/software_rss.h"

#include <doctest/doctest.h>
#include <rte_mbuf.h>

#include <cstring>

#include "engine/counter_region.h"
#include "testing/eal.h"
#include "testing/frames.h"

namespace sluice {
namespace {

constexpr uint32_t kWorkers = 3, kOwner = 1;
constexpr uint16_t kSlot = 2;

struct Rig {
  rte_mempool* pool = [] {
    start_eal();
    return rte_pktmbuf_pool_create("rss", 4095, 0, 0, RTE_PKTMBUF_HEADROOM + 128, SOCKET_ID_ANY);
  }();
  CounterRegion counters{{.workers = kWorkers, .backends = 1, .interfaces = 4, .timeouts = {}}};
  CounterBlock block = counters.block(kOwner);
  std::unique_ptr<SoftwareRss> rss = SoftwareRss::make(kSlot, kOwner, kWorkers);

  ~Rig() {
    rss.reset();
    CHECK(rte_mempool_full(pool) == 1);  // nothing is lost that somebody should have freed
    rte_mempool_free(pool);
  }

  rte_mbuf* mbuf(uint16_t port) {
    const Bytes frame = udp_frame({{2}, {4}}, ip(10, 0, 0, 9), port, ip(10, 96, 0, 10), 53);
    rte_mbuf* made = rte_pktmbuf_alloc(pool);
    std::memcpy(rte_pktmbuf_append(made, static_cast<uint16_t>(frame.size())), frame.data(),
                frame.size());
    return made;
  }
  uint32_t worker_of(const rte_mbuf* mbuf) const {
    return rss->worker_of(rte_pktmbuf_mtod(mbuf, const uint8_t*), mbuf->data_len);
  }
  uint64_t count(WorkerCounter which) const { return counters.read(kOwner, which); }
  uint64_t drops(DropReason reason) const {
    const CounterLayout& layout = counters.layout;
    return counters.data()[kOwner * layout.stride + layout.drops + static_cast<uint32_t>(reason)];
  }
};

TEST_CASE("a burst is parted by worker, each part in order") {
  Rig rig;
  rte_mbuf* mbufs[kMaxBurst];
  std::vector<std::vector<rte_mbuf*>> wanted(kWorkers);
  for (uint16_t i = 0; i < kMaxBurst; i++) {
    mbufs[i] = rig.mbuf(1000 + i % 16);
    wanted[rig.worker_of(mbufs[i])].push_back(mbufs[i]);
  }
  const uint32_t own = rig.rss->spread(mbufs, kMaxBurst, rig.block);
  for (uint32_t worker = 0; worker < kWorkers; worker++) {
    REQUIRE(!wanted[worker].empty());
    rte_mbuf* taken[kMaxBurst];
    const uint32_t count = worker == kOwner ? own : rig.rss->take(worker, taken, kMaxBurst);
    rte_mbuf** const part = worker == kOwner ? mbufs : taken;
    CHECK(std::vector<rte_mbuf*>(part, part + count) == wanted[worker]);
    rte_pktmbuf_free_bulk(part, count);
  }
  CHECK(rig.count(WorkerCounter::steered) == kMaxBurst - own);
  CHECK(rig.count(WorkerCounter::rx) == 0);
}

TEST_CASE("what finds no room is counted as received and dropped, and freed") {
  Rig rig;
  uint16_t port = 1000;
  for (;; port++) {
    rte_mbuf* const probe = rig.mbuf(port);
    const uint32_t worker = rig.worker_of(probe);
    rte_pktmbuf_free(probe);
    if (worker != kOwner) break;
  }
  constexpr uint32_t kSent = SoftwareRss::kRingFrames + 100;
  for (uint32_t i = 0; i < kSent; i++) {
    rte_mbuf* mbuf = rig.mbuf(port);
    CHECK(rig.rss->spread(&mbuf, 1, rig.block) == 0);
  }
  CHECK(rig.count(WorkerCounter::steered) == SoftwareRss::kRingFrames);
  CHECK(rig.count(WorkerCounter::rx) == 100);
  CHECK(rig.drops(DropReason::handoff_full) == 100);
}

}  // namespace
}  // namespace sluice
