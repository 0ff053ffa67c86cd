// SPDX-License-Identifier: Apache-2.0
// One worker with everything it needs and nothing real: a program, tables, a clock that the test
// moves, and an outside that keeps what was sent. Frames lie in buffers of exactly their length (or
// of what an answer in place may need), so that AddressSanitizer sees every byte that is read or
// written beyond.
#pragma once

#include <doctest/doctest.h>

#include <map>
#include <memory>
#include <vector>

#include "config/program_state.h"
#include "packet/neighbour_discovery.h"
#include "stage/context.h"
#include "stage/fragment.h"
#include "stage/pipeline.h"
#include "testing/delta.h"
#include "testing/eal.h"
#include "testing/frames.h"

namespace sluice {

class FakeOutside : public Outside {
 public:
  Frame allocate() override {
    if (out_of_buffers) return {};
    auto* buffer = new Bytes(kAllocatedRoom, 0xcc);
    live++;
    return {buffer, buffer->data(), 0, 0};
  }
  void free(void* handle) override {
    delete static_cast<Bytes*>(handle);
    live--;
  }
  bool make_room(Frame& frame, uint32_t bytes) override {
    if (no_headroom) return false;
    auto* buffer = static_cast<Bytes*>(frame.handle);
    const auto before = static_cast<size_t>(frame.data - buffer->data());
    if (before < bytes) buffer->insert(buffer->begin(), bytes - before, 0xcc);
    frame.data = buffer->data() + std::max<size_t>(before, bytes);
    return true;
  }
  uint32_t send(uint16_t interface, const Frame* frames, uint32_t count,
                uint32_t* handed_over) override {
    auto& queue = sent[interface];
    uint32_t taken = 0;
    for (; taken < count && queue.size() < room; taken++) {
      queue.emplace_back(frames[taken].data, frames[taken].data + frames[taken].length);
      free(frames[taken].handle);
    }
    *handed_over = hands_over ? taken : 0;
    return taken;
  }
  DropReason refusal(uint16_t) override { return DropReason::tx_full; }

  Bytes* take(const Bytes& frame) {
    auto* buffer = new Bytes(frame);
    // The one answer that may be longer than the question: an advertisement.
    const bool ipv6 = frame.size() >= 14 && frame[12] == 0x86 && frame[13] == 0xdd;
    if (ipv6 && frame.size() < kNeighbourFrameBytes) {
      buffer->resize(kNeighbourFrameBytes, 0xcc);
      buffer->shrink_to_fit();
    }
    live++;
    return buffer;
  }

  std::map<uint16_t, std::vector<Bytes>> sent;
  size_t room = SIZE_MAX;
  bool out_of_buffers = false;
  bool no_headroom = false;
  bool hands_over = false;
  size_t live = 0;  // buffers that belong to the worker
};

inline constexpr Limits kSmall = {.flows = 256,
                                  .flows6 = 256,
                                  .affinities = 64,
                                  .backends = 64,
                                  .interfaces = 4,
                                  .neighbours = 64,
                                  .routes = 64,
                                  .timeouts = {}};

struct World {
  explicit World(const Limits& limits_ = kSmall)
      : limits(limits_),
        state((start_eal(), limits), up),
        flows4(limits.flows, 1, limits.timeouts),
        flows6(limits.flows6, 1, limits.timeouts),
        affinities(limits.affinities),
        neighbours(limits.neighbours),
        layout(CounterLayout::of(limits)),
        counters(layout.stride) {
    REQUIRE_FALSE(state.open());
    context.limits = &limits;
    context.flows4 = &flows4;
    context.flows6 = &flows6;
    context.affinities = &affinities;
    context.neighbours = &neighbours;
    context.neighbour_ages = {uint64_t{limits.timeouts.neighbour_stale} * 1000,
                              uint64_t{limits.timeouts.neighbour_dead} * 1000};
    context.fragments = make_fragments(context);
    context.counters = CounterBlock(counters.data(), layout);
    context.outside = &outside;
    flows4.attach(context.flow_cache4);
    flows6.attach(context.flow_cache6);
    at(1'000'000);
  }
  ~World() {
    for (const HeldPacket& held : context.held) outside.free(held.frame.handle);
    context.fragments->drain([&](const Packet& packet) { outside.free(packet.handle); });
    CHECK(outside.live == 0);
  }
  World(const World&) = delete;
  World& operator=(const World&) = delete;

  static Mac mac(uint16_t slot) { return {2, 0, 0, 0, 0xee, static_cast<uint8_t>(slot)}; }

  void add_tunnel(Tunnel tunnel) {
    const uint16_t slot = tunnel.slot;
    publish(state.add_interface(slot, mac(slot).data(), tunnel.mtu, false,
                                std::make_shared<Tunnel>(std::move(tunnel))));
  }
  void add_interface(uint16_t slot, uint16_t mtu = 1500, bool unfinished_checksums = false) {
    publish(state.add_interface(slot, mac(slot).data(), mtu, unfinished_checksums));
  }
  void remove_interface(uint16_t slot) {
    publish(state.remove_interface(slot));
    drop_held(context, slot);
    neighbours.remove_interface(slot);
  }
  void commit(const Delta& delta) {
    const Status error = state.check(delta);
    if (error) FAIL(error->path, " ", error->message);
    publish(state.build(delta));
  }
  void publish(std::unique_ptr<Snapshot> next) {
    snapshot = std::move(next);
    state.settle();
    context.snapshot = snapshot.get();
  }

  void at(uint64_t now_ms) {
    context.now_ms = now_ms;
    context.now_s = static_cast<uint32_t>(now_ms / 1000);
  }
  // A poll: frames in, housekeeping, and what one poll freed is there for the next.
  void poll(uint16_t interface, const std::vector<Bytes>& frames) {
    for (FlowCache* cache : {&context.flow_cache4, &context.flow_cache6}) {
      if (cache->seal(0)) cache->release();
    }
    Burst burst;
    for (const Bytes& frame : frames) {
      Bytes* buffer = outside.take(frame);
      Packet& packet = burst.packets[burst.count++];
      packet.data = buffer->data();
      packet.length = static_cast<uint32_t>(frame.size());
      packet.in_interface = interface;
      packet.handle = buffer;
    }
    run_burst(burst, context);
    run_housekeeping(context);
    CHECK(law_holds());
  }
  void idle() { poll(0, {}); }
  // There is no sweep before the clock goes on.
  void has_swept() { context.swept_ms = context.now_ms; }

  // What has left the interface since the last look.
  std::vector<Bytes> sent(uint16_t interface) { return std::exchange(outside.sent[interface], {}); }

  uint64_t counter(WorkerCounter which) const { return counters[static_cast<uint32_t>(which)]; }
  uint64_t counter(uint16_t interface, InterfaceCounter which) const {
    return counters[layout.interfaces + interface * static_cast<uint32_t>(InterfaceCounter::count) +
                    static_cast<uint32_t>(which)];
  }
  uint64_t drops(DropReason reason) const {
    return counters[layout.drops + static_cast<uint32_t>(reason)];
  }
  bool law_holds() const {
    uint64_t fates = counter(WorkerCounter::forwarded) + counter(WorkerCounter::answered) +
                     counter(WorkerCounter::host) + counter(WorkerCounter::held) +
                     counter(WorkerCounter::handedOut);
    for (uint32_t i = 0; i < kDropReasonCount; i++) fates += counters[layout.drops + i];
    const size_t fragments = context.fragments->waiting();
    const size_t waiting = context.held.size() + fragments;
    return counter(WorkerCounter::rx) == fates && waiting == outside.live &&
           waiting - context.held_own == counter(WorkerCounter::held) &&
           fragments == counter(WorkerCounter::fragmentPackets) &&
           context.fragments->datagrams() == counter(WorkerCounter::fragments);
  }

  Limits limits;
  std::atomic<bool> up[8] = {true, true, true, true, true, true, true, true};
  ProgramState state;
  std::unique_ptr<Snapshot> snapshot;
  FlowTable<Ipv4> flows4;
  FlowTable<Ipv6> flows6;
  AffinityTable affinities;
  NeighbourTable neighbours;
  CounterLayout layout;
  std::vector<uint64_t> counters;
  FakeOutside outside;
  Context context;
};

}  // namespace sluice
