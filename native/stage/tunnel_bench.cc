// SPDX-License-Identifier: Apache-2.0
// What a GRE tunnel adds to a flow's packets, as pipeline_bench has them: clocks of a packet, of
// bursts of 64, of flows picked at random.
//   hit     queries and replies in turn, with no tunnel
//   decap   queries that come by a tunnel, and leave for their backends as they are
//   encap   replies that come as they are, and leave by a tunnel
#include "stage/outer_header.h"
#include "testing/bench_rig.h"

namespace sluice {
namespace {

void expect(benchmark::State& state, bool holds, const char* otherwise) {
  if (!holds) state.SkipWithError(otherwise);
}

template <class F, class Fill>
void run_bursts(benchmark::State& state, BenchRig<F>& rig, uint32_t packets, Fill&& fill) {
  BenchClocks clocks(packets);
  for (auto _ : state) state.SetIterationTime(clocks.add(fill()));
  clocks.report(state);
  expect(state, rig.worker.has_forwarded_all(), "not all packets were forwarded");
  expect(state, rig.worker.counter(WorkerCounter::flowsCreated) == rig.world.options.flows,
         "not all packets were of flows that were there");
}

template <class F>
struct Hit {
  static void run(benchmark::State& state, const BenchOptions& options) {
    auto& rig = BenchRig<F>::of(options, true);
    run_bursts(state, rig, 2 * kMaxBurst, [&] {
      uint64_t taken = 0;
      for (const uint16_t interface : {0, 1}) {
        rig.traffic.fill(rig.worker, interface);
        taken += rig.worker.run_timed();
      }
      return taken;
    });
  }
};

// The headers of a packet that carries one of the traffic's queries, as the other end sends it.
template <class F>
Bytes carrier(const BenchWorld& world) {
  const uint32_t inside = BenchFrames<F>(0, world.options.protocol).length();
  Tunnel theirs = *world.snapshot->interfaces[kBenchTunnel].tunnel;
  std::swap(theirs.local, theirs.remote);
  Bytes buffer(kOuterRoom + inside);
  ethernet_of(buffer).type = {};
  Frame frame{nullptr, &buffer[kOuterRoom], inside};
  header_at<EthernetHeader>(frame.data, 0)->type = be16::from_host(Wire<F>::kEtherType);
  write_outer(frame, theirs, make_outer_header(theirs), 0);
  std::memcpy(frame.data, kBenchMacs[0], 6);
  std::memcpy(frame.data + 6, kBenchPeers[0], 6);
  return Bytes(frame.data, &buffer[kOuterRoom] + kEthernetBytes);
}

template <class F>
struct Decap {
  static void run(benchmark::State& state, const BenchOptions& options) {
    auto& rig = BenchRig<F>::of(options, true);
    Bytes outer = carrier<F>(rig.world);
    run_bursts(state, rig, kMaxBurst, [&] {
      rig.traffic.fill(rig.worker, 0);
      rig.worker.wrap(outer.data(), static_cast<uint32_t>(outer.size()));
      return rig.worker.run_timed();
    });
    rig.traffic.fill(rig.worker, 0);
    rig.worker.wrap(outer.data(), static_cast<uint32_t>(outer.size()));
    rig.worker.run();
    expect(state, rig.traffic.has_left(rig.worker), "a frame left wrongly");
  }
};

template <class F>
struct Encap {
  static void run(benchmark::State& state, const BenchOptions& options) {
    auto& rig = BenchRig<F>::of(options, true);
    run_bursts(state, rig, kMaxBurst, [&] {
      rig.traffic.fill(rig.worker, 1);
      return rig.worker.run_timed();
    });
  }
};

void add_of(uint8_t version) {
  for (const uint32_t flows : {1'000, 100'000}) {
    add_bench<Hit>("hit", {.flows = flows, .version = version});
    const BenchOptions tunnel{.flows = flows, .version = version, .tunnel = true};
    add_bench<Decap>("decap", tunnel);
    add_bench<Encap>("encap", tunnel);
  }
}

const bool added = (add_of(4), add_of(6), true);

}  // namespace
}  // namespace sluice
