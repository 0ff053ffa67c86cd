// SPDX-License-Identifier: Apache-2.0
#include "generator/stream.h"

#include <rte_cycles.h>

namespace sluice::generator {
Stream::Stream(const Rig& rig, Direction direction, Draw draw)
    : direction_(direction),
      from_(direction == Direction::query ? rig.client : rig.backend),
      to_(direction == Direction::query ? rig.backend : rig.client),
      checker_(rig.checker),
      flows_(rig.traffic.population),
      burst_(rig.traffic.burst),
      tag_(rig.checker.reader().layout().payload),
      frames_(rig.traffic, direction),
      draw_(std::move(draw)),
      flight_(from_, to_) {
  draw_ahead(kMostBurst);
}

void Stream::draw_ahead(uint16_t count) {
  for (uint16_t i = 0; i < count; ++i) {
    ahead_[i] = draw_.next();
    if (direction_ == Direction::reply) checker_.prefetch(ahead_[i]);
  }
}

void Stream::make(rte_mbuf** mbufs, uint16_t count, uint64_t stamp) {
  for (uint16_t i = 0; i < count; ++i) __builtin_prefetch(rte_pktmbuf_mtod(mbufs[i], void*), 1);
  for (uint16_t i = 0; i < count; ++i) {
    const uint32_t flow = ahead_[i];
    const FrameTemplate& frame = frames_.next();
    auto* bytes = rte_pktmbuf_mtod(mbufs[i], uint8_t*);
    if (direction_ == Direction::query) {
      frame.write(bytes, flows_.client(flow), flows_.service(flow), flow, stamp);
    } else {
      frame.write(bytes, flows_.backend(flow, checker_.backend_of(flow)), flows_.client(flow), flow,
                  stamp);
    }
    mbufs[i]->data_len = frame.length();
    mbufs[i]->pkt_len = frame.length();
  }
  draw_ahead(count);
}

uint16_t Stream::send(uint16_t count, uint32_t window, uint64_t now) {
  uint16_t made = 0;
  if (from_.waiting() == 0 && flight_.admits(count, window, now)) {
    if (rte_mbuf** mbufs = from_.reserve(count)) {
      make(mbufs, count, now);
      made = count;
    }
  }
  from_.flush(burst_);
  return made;
}

void Stream::receive(Histogram* latency) {
  rte_mbuf* mbufs[kMostBurst];
  const uint16_t count = to_.receive(mbufs, burst_);
  if (count == 0) return;
  checker_.check_one_of(mbufs, count, direction_);
  if (latency != nullptr) time(mbufs, count, *latency);
  to_.release(mbufs, count);
}

void Stream::time(rte_mbuf* const* mbufs, uint16_t count, Histogram& latency) const {
  const uint64_t now = rte_rdtsc();
  for (uint16_t i = 0; i < count; ++i) __builtin_prefetch(rte_pktmbuf_mtod(mbufs[i], void*));
  for (uint16_t i = 0; i < count; ++i) {
    Tag tag;
    if (mbufs[i]->data_len < tag_ + sizeof(tag)) continue;
    std::memcpy(&tag, rte_pktmbuf_mtod(mbufs[i], const uint8_t*) + tag_, sizeof(tag));
    if (tag.magic == magic_of(direction_)) latency.add(now - tag.stamp);
  }
}

}  // namespace sluice::generator
