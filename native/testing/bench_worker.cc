// SPDX-License-Identifier: Apache-2.0
#include "testing/bench_worker.h"

#include "stage/fragment.h"

namespace sluice {
namespace {

// Buffers as of an mbuf pool: headers of the pool and of the buffer, headroom, and room for a
// frame. An odd number of cache lines apart, as a pool lays them, so that frames use all sets of a
// cache.
constexpr uint32_t kBuffers = 2'048;
constexpr uint32_t kStride = 64 + 128 + 128 + 2'048;
constexpr uint32_t kFrameAt = 64 + 128 + 128;
constexpr uint32_t kLine = 64;
static_assert(kStride / kLine % 2 == 1 && kFrameAt % kLine == 0);

}  // namespace

BenchWorker::BenchWorker(BenchWorld& world, uint32_t index)
    : counters_(world.layout.stride * sizeof(uint64_t)), buffers_(size_t{kBuffers} * kStride) {
  context.worker = index;
  context.limits = &world.limits;
  context.snapshot = world.snapshot.get();
  context.now_ms = kBenchNowMs;
  context.now_s = kBenchNowMs / 1000;
  context.flows4 = &world.flows4;
  context.flows6 = &world.flows6;
  context.affinities = &world.affinities;
  context.neighbours = &world.neighbours;
  context.neighbour_ages = {uint64_t{world.limits.timeouts.neighbour_stale} * 1000,
                            uint64_t{world.limits.timeouts.neighbour_dead} * 1000};
  context.counters = CounterBlock(static_cast<uint64_t*>(counters_.data()), world.layout);
  context.outside = &outside_;
  context.fragments = make_fragments(context);
  world.flows4.attach(context.flow_cache4);
  world.flows6.attach(context.flow_cache6);
}

uint8_t* BenchWorker::next_buffer() {
  auto* const data = static_cast<uint8_t*>(buffers_.data()) + size_t{next_} * kStride + kFrameAt;
  next_ = (next_ + 1) % kBuffers;
  return data;
}

void BenchWorker::next_poll() {
  for (FlowCache* cache : {&context.flow_cache4, &context.flow_cache6}) {
    if (cache->seal(0)) cache->release();
  }
}

void BenchWorker::advance(uint32_t seconds) {
  context.now_s += seconds;
  context.now_ms += uint64_t{seconds} * 1000;
}

bool BenchWorker::has_forwarded_all() const {
  return outside_.sent == given_ && outside_.freed == 0 && counter(WorkerCounter::rx) == given_ &&
         counter(WorkerCounter::forwarded) == given_;
}

}  // namespace sluice
