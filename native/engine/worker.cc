// SPDX-License-Identifier: Apache-2.0
#include "engine/worker.h"

#include <rte_cycles.h>
#include <rte_mbuf.h>
#include <rte_prefetch.h>
#include <rte_rcu_qsbr.h>
#include <rte_ring.h>
#include <time.h>

#include <cstring>

#include "stage/fragment.h"
#include "stage/pipeline.h"

namespace sluice {
namespace {

// A poll that finds nothing costs about a microsecond: some hundreds of them are waited out at full
// speed, then the worker sleeps between polls and leaves the CPU to others. Asleep it reads
// nothing, and nobody who waits for quiescence waits for it.
constexpr uint32_t kBusyEmptyPolls = 512;
constexpr timespec kIdleSleep{0, 50'000};

uint64_t monotonic_ms() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<uint64_t>(now.tv_sec) * 1000 + static_cast<uint64_t>(now.tv_nsec) / 1'000'000;
}

}  // namespace

Tables::Tables(const Limits& limits)
    : flows4(limits.flows, limits.workers, limits.timeouts),
      flows6(limits.flows6, limits.workers, limits.timeouts),
      affinities(limits.affinities),
      neighbours(limits.neighbours) {}

Worker::Worker(uint32_t index, Publisher& publisher, rte_mempool* pool, const Limits& limits,
               Tables& tables, CounterBlock counters)
    : index_(index), publisher_(publisher), pool_(pool) {
  context_.worker = index;
  context_.limits = &limits;
  context_.flows4 = &tables.flows4;
  context_.flows6 = &tables.flows6;
  context_.affinities = &tables.affinities;
  context_.neighbours = &tables.neighbours;
  context_.neighbour_ages = {uint64_t{limits.timeouts.neighbour_stale} * 1000,
                             uint64_t{limits.timeouts.neighbour_dead} * 1000};
  context_.counters = counters;
  context_.outside = this;
  context_.fragments = make_fragments(context_);
  context_.held.reserve(limits.held_packets);
  context_.ready.reserve(limits.held_packets);
  context_.originated.reserve(kMaxBurst + limits.held_packets);
  tables.flows4.attach(context_.flow_cache4);
  tables.flows6.attach(context_.flow_cache6);
}

Worker::~Worker() {
  for (const HeldPacket& packet : context_.held) free(packet.frame.handle);
  context_.fragments->drain([this](const Packet& packet) { free(packet.handle); });
}

void Worker::run() {
  rte_rcu_qsbr* const rcu = publisher_.rcu();
  rte_rcu_qsbr_thread_register(rcu, index_);
  rte_rcu_qsbr_thread_online(rcu, index_);
  uint32_t empty_polls = 0;
  while (!stopping_.load(std::memory_order_acquire)) {
    if (poll(monotonic_ms()) != 0) {
      empty_polls = 0;
    } else if (++empty_polls > kBusyEmptyPolls) {
      rte_rcu_qsbr_thread_offline(rcu, index_);
      clock_nanosleep(CLOCK_MONOTONIC, 0, &kIdleSleep, nullptr);
      rte_rcu_qsbr_thread_online(rcu, index_);
      continue;
    }
    rte_rcu_qsbr_quiescent(rcu, index_);
  }
  rte_rcu_qsbr_thread_offline(rcu, index_);
  rte_rcu_qsbr_thread_unregister(rcu, index_);
}

uint32_t Worker::poll(uint64_t now_ms) {
  const uint64_t start = rte_rdtsc();
  driver_clocks_ = 0;
  reclaim(context_.flow_cache4);
  reclaim(context_.flow_cache6);
  begin(now_ms);
  if (const Task* const task = task_.load(std::memory_order_acquire)) [[unlikely]] {
    (*task)(context_);
    task_.store(nullptr, std::memory_order_release);
  }
  const WorkerQueues& queues = (*world_->queues)[index_];
  uint32_t received = 0, handed_in = 0;
  for (const Ingress& ingress : queues.receive) {
    if (ingress.queue != kNoQueue) ingress.interface->expect(ingress.queue);
  }
  for (const Ingress& ingress : queues.receive) received += receive(ingress);
  for (Interface* interface : queues.handed_over) {
    // A ringful at most, so that the others get their turn.
    for (uint32_t n = 0; n < kHandoffFrames; n += kMaxBurst) {
      const uint32_t count = transmit_handed_over(*interface);
      handed_in += count;
      if (count < kMaxBurst) break;
    }
  }
  run_housekeeping(context_);
  context_.counters.add(WorkerCounter::polls, 1);
  if (received + handed_in != 0) {
    context_.counters.add(WorkerCounter::busyPolls, 1);
    context_.counters.add(WorkerCounter::cycles, rte_rdtsc() - start - driver_clocks_);
  }
  return received + handed_in;
}

void Worker::perform(const Task& task, uint64_t now_ms) {
  begin(now_ms);
  task(context_);
}

void Worker::begin(uint64_t now_ms) {
  world_ = publisher_.current();
  context_.snapshot = world_->snapshot.get();
  context_.now_ms = now_ms;
  context_.now_s = static_cast<uint32_t>(now_ms / 1000);
}

// What was freed in the previous poll is sealed now, under an RCU token; when all workers have
// passed it, it may be used again. With one worker that is at once: it holds nothing between two
// polls.
void Worker::reclaim(FlowCache& cache) {
  rte_rcu_qsbr* const rcu = publisher_.rcu();
  if (cache.sealed.empty() && !cache.pending.empty()) {
    cache.seal(rte_rcu_qsbr_start(rcu));
    rte_rcu_qsbr_quiescent(rcu, index_);
  }
  if (!cache.sealed.empty() && rte_rcu_qsbr_check(rcu, cache.seal_token, false) == 1) {
    cache.release();
  }
}

uint32_t Worker::receive(const Ingress& ingress) {
  rte_mbuf* mbufs[kMaxBurst];
  Interface& interface = *ingress.interface;
  if (ingress.queue == kNoQueue) {
    const uint32_t count = interface.rss->take(index_, mbufs, kMaxBurst);
    if (count != 0) run(interface, mbufs, count);
    return count;
  }
  const uint64_t begin = rte_rdtsc();
  const uint32_t count = interface.rx(ingress.queue, mbufs, kMaxBurst);
  driver_clocks_ += rte_rdtsc() - begin;
  if (count == 0) return 0;
  const uint32_t own =
      interface.rss ? interface.rss->spread(mbufs, count, context_.counters) : count;
  if (own != 0) run(interface, mbufs, own);
  return count;
}

void Worker::run(Interface& interface, rte_mbuf** mbufs, uint32_t count) {
  burst_.count = count;
  for (uint32_t i = 0; i < count; ++i) {
    rte_mbuf* mbuf = mbufs[i];
    Packet& packet = burst_.packets[i];
    // The stages see one piece of memory. What does not fit into one is no frame that we can carry:
    // parse drops it for its length of zero.
    const bool whole = mbuf->nb_segs == 1 || rte_pktmbuf_linearize(mbuf) == 0;
    packet.data = rte_pktmbuf_mtod(mbuf, uint8_t*);
    packet.length = whole ? mbuf->pkt_len : 0;
    packet.in_interface = interface.slot;
    packet.handle = mbuf;
    mbuf->port = interface.slot;  // tells it from a frame of our own, which has none
    rte_prefetch0(packet.data);
  }
  run_burst(burst_, context_);
}

uint32_t Worker::transmit_handed_over(Interface& interface) {
  rte_mbuf* mbufs[kMaxBurst];
  const uint32_t count = rte_ring_dequeue_burst(
      interface.handoff.get(), reinterpret_cast<void**>(mbufs), kMaxBurst, nullptr);
  if (count == 0) return 0;
  uint64_t bytes[kMaxBurst];
  bool received[kMaxBurst];  // rather than originated by a worker: those have no fate
  bool to_host[kMaxBurst];
  for (uint32_t i = 0; i < count; ++i) {
    bytes[i] = mbufs[i]->pkt_len;
    received[i] = mbufs[i]->port != RTE_MBUF_PORT_INVALID;
    to_host[i] = received[i] && mbufs[i]->hash.usr == static_cast<uint32_t>(Fate::host);
  }
  const uint32_t sent = transmit({&interface, 0}, mbufs, count);
  uint64_t sent_bytes = 0;
  uint32_t forwarded = 0, host = 0, refused = 0;
  for (uint32_t i = 0; i < sent; ++i) {
    sent_bytes += bytes[i];
    forwarded += received[i] && !to_host[i];
    host += to_host[i];
  }
  for (uint32_t i = sent; i < count; ++i) {
    refused += received[i];
    rte_pktmbuf_free(mbufs[i]);
  }
  CounterBlock& counters = context_.counters;
  counters.add(WorkerCounter::handedIn, forwarded + host + refused);
  counters.add(WorkerCounter::forwarded, forwarded);
  counters.add(WorkerCounter::host, host);
  counters.drop(DropReason::tx_full, refused);
  counters.add(interface.slot, InterfaceCounter::tx_packets, sent);
  counters.add(interface.slot, InterfaceCounter::tx_bytes, sent_bytes);
  return count;
}

uint32_t Worker::transmit(const Egress& egress, rte_mbuf** mbufs, uint32_t count) {
  const uint64_t begin = rte_rdtsc();
  const uint32_t sent = egress.interface->tx(egress.queue, mbufs, static_cast<uint16_t>(count));
  driver_clocks_ += rte_rdtsc() - begin;
  return sent;
}

void Worker::drop_under_way(Interface& interface) {
  const bool owner = interface.worker == index_;
  if (interface.rss && !owner) drop_steered(interface);
  if (interface.handoff && owner) drop_handed_over(interface);
}

// Received by another worker and not yet counted.
void Worker::drop_steered(Interface& interface) {
  CounterBlock& counters = context_.counters;
  rte_mbuf* mbuf = nullptr;
  while (interface.rss->take(index_, &mbuf, 1) == 1) {
    counters.add(WorkerCounter::rx, 1);
    counters.add(interface.slot, InterfaceCounter::rx_packets, 1);
    counters.add(interface.slot, InterfaceCounter::rx_bytes, mbuf->pkt_len);
    counters.drop(DropReason::interface_removed);
    rte_pktmbuf_free(mbuf);
  }
}

void Worker::drop_handed_over(Interface& interface) {
  void* handle = nullptr;
  while (rte_ring_dequeue(interface.handoff.get(), &handle) == 0) {
    const auto* mbuf = static_cast<rte_mbuf*>(handle);
    if (mbuf->port != RTE_MBUF_PORT_INVALID) {
      context_.counters.add(WorkerCounter::handedIn, 1);
      context_.counters.drop(DropReason::interface_removed);
    }
    free(handle);
  }
}

Frame Worker::allocate() {
  rte_mbuf* mbuf = rte_pktmbuf_alloc(pool_);
  if (!mbuf) return {};
  return {mbuf, rte_pktmbuf_mtod(mbuf, uint8_t*), 0, 0};
}

void Worker::free(void* handle) { rte_pktmbuf_free(static_cast<rte_mbuf*>(handle)); }

// The headroom of our pools is enough as a rule; some drivers use it for themselves.
bool Worker::make_room(Frame& frame, uint32_t bytes) {
  const auto* mbuf = static_cast<const rte_mbuf*>(frame.handle);
  auto* const buffer = static_cast<uint8_t*>(mbuf->buf_addr);
  if (frame.data >= buffer + bytes) [[likely]]
    return true;
  if (bytes + frame.length > mbuf->buf_len) return false;
  std::memmove(buffer + bytes, frame.data, frame.length);
  frame.data = buffer + bytes;
  return true;
}

uint32_t Worker::send(uint16_t interface, const Frame* frames, uint32_t count,
                      uint32_t* handed_over) {
  *handed_over = 0;
  const Egress& egress = (*world_->queues)[index_].transmit[interface];
  if (!egress.interface) return 0;
  uint32_t taken = 0;
  while (taken < count) {
    rte_mbuf* mbufs[kMaxBurst];
    const uint32_t batch = std::min(count - taken, kMaxBurst);
    for (uint32_t i = 0; i < batch; ++i) {
      const Frame& frame = frames[taken + i];
      mbufs[i] = static_cast<rte_mbuf*>(frame.handle);
      mbufs[i]->data_off =
          static_cast<uint16_t>(frame.data - static_cast<uint8_t*>(mbufs[i]->buf_addr));
      mbufs[i]->data_len = static_cast<uint16_t>(frame.length);
      mbufs[i]->pkt_len = frame.length;
    }
    uint32_t sent;
    if (egress.queue != kNoQueue) {
      sent = transmit(egress, mbufs, batch);
    } else {
      for (uint32_t i = 0; i < batch; ++i) {
        mbufs[i]->hash.usr = static_cast<uint32_t>(frames[taken + i].fate);
      }
      sent = rte_ring_enqueue_burst(egress.interface->handoff.get(),
                                    reinterpret_cast<void**>(mbufs), batch, nullptr);
      *handed_over += sent;
    }
    taken += sent;
    if (sent < batch) break;
  }
  return taken;
}

DropReason Worker::refusal(uint16_t interface) {
  const Egress& egress = (*world_->queues)[index_].transmit[interface];
  if (!egress.interface) return DropReason::interface_removed;
  return egress.queue != kNoQueue ? DropReason::tx_full : DropReason::handoff_full;
}

}  // namespace sluice
