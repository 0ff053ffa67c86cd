// SPDX-License-Identifier: Apache-2.0
// The whole packet path, `run_burst`, without an interface driver: one worker, bursts of 64 frames
// of 60 bytes in buffers as of a memory pool. Frames are written and views made outside of what is
// timed.
//   hit           packets of flows that are there, picked at random; a burst of queries and a burst
//                 of replies in turn
//   plain         packets to where no service is, routed as they are
//   setup         UDP packets, each the first of a new flow
//   connections   whole TCP connections, from SYN to the last ACK; clocks are of one connection
//   housekeeping  what follows the bursts of each poll; clocks are of one poll
#include "testing/bench_rig.h"

namespace sluice {
namespace {

// The client opens and closes, the server has the last word but one.
constexpr BenchStep kConnection[] = {{0, kTcpSyn}, {1, kTcpSyn | kTcpAck}, {0, kTcpAck},
                                     {1, kTcpAck}, {0, kTcpFin | kTcpAck}, {1, kTcpFin | kTcpAck},
                                     {0, kTcpAck}};
constexpr BenchStep kQuery[] = {{0, kTcpSyn}};

void expect(benchmark::State& state, bool holds, const char* otherwise) {
  if (!holds) state.SkipWithError(otherwise);
}

template <class F>
struct Hit {
  static void run(benchmark::State& state, const BenchOptions& options) {
    auto& rig = BenchRig<F>::of(options, true);
    BenchClocks clocks(2 * kMaxBurst);
    for (auto _ : state) {
      uint64_t taken = 0;
      for (const uint16_t interface : {0, 1}) {
        rig.traffic.fill(rig.worker, interface);
        taken += rig.worker.run_timed();
      }
      state.SetIterationTime(clocks.add(taken));
    }
    clocks.report(state);
    for (const uint16_t interface : {0, 1}) {
      rig.traffic.fill(rig.worker, interface);
      rig.worker.run();
      expect(state, rig.traffic.has_left(rig.worker), "a frame left wrongly");
    }
    expect(state, rig.worker.has_forwarded_all(), "not all packets were forwarded");
    expect(state, rig.worker.counter(WorkerCounter::flowsCreated) == options.flows,
           "not all packets were of flows that were there");
  }
};

template <class F>
struct Plain {
  static void run(benchmark::State& state, const BenchOptions& options) {
    auto& rig = BenchRig<F>::of(options, true);
    const BenchFrames<F> frames(0, options.protocol);
    BenchClocks clocks(kMaxBurst);
    uint32_t flow = 0;
    for (auto _ : state) {
      rig.worker.fill(0, kMaxBurst, [&](uint32_t, uint8_t* to) {
        return frames.write(bench_plain<F>(flow++, options.protocol), to);
      });
      state.SetIterationTime(clocks.add(rig.worker.run_timed()));
    }
    clocks.report(state);
    expect(state, rig.worker.has_forwarded_all(), "not all packets were forwarded");
    expect(state, rig.flows().used() == options.flows, "a packet made a flow");
  }
};

// New connections, `steps` packets each, until all flows of the options are there; then they are
// removed, outside of what is timed, and it begins again.
template <class F, size_t kSteps>
void make_flows(benchmark::State& state, const BenchOptions& options,
                const BenchStep (&steps)[kSteps]) {
  auto& rig = BenchRig<F>::of(options, false);
  const uint64_t made_before = rig.worker.counter(WorkerCounter::flowsCreated);
  BenchClocks clocks(kMaxBurst);
  uint32_t first = 0;
  uint64_t made = 0;
  for (auto _ : state) {
    if (first + kMaxBurst > options.flows) {
      rig.empty();
      first = 0;
    }
    uint64_t taken = 0;
    for (const BenchStep& step : steps) {
      rig.traffic.fill(rig.worker, step, first);
      taken += rig.worker.run_timed();
      rig.traffic.learn(rig.worker, step, first);
    }
    first += kMaxBurst;
    made += kMaxBurst;
    state.SetIterationTime(clocks.add(taken));
  }
  clocks.report(state);
  expect(state, rig.flows().used() == first, "a packet made no flow");
  expect(state, rig.worker.counter(WorkerCounter::flowsCreated) - made_before == made,
         "flows were made twice");
  expect(state, rig.worker.has_forwarded_all(), "not all packets were forwarded");
  rig.empty();
}

template <class F>
struct Setup {
  static void run(benchmark::State& state, const BenchOptions& options) {
    make_flows<F>(state, options, kQuery);
  }
};

template <class F>
struct Connections {
  static void run(benchmark::State& state, const BenchOptions& options) {
    make_flows<F>(state, options, kConnection);
  }
};

template <class F>
struct Housekeeping {
  static void run(benchmark::State& state, const BenchOptions& options) {
    auto& rig = BenchRig<F>::of(options, true);
    BenchClocks clocks(1);
    for (auto _ : state) {
      const uint64_t begin = __rdtsc();
      run_housekeeping(rig.worker.context);
      state.SetIterationTime(clocks.add(__rdtsc() - begin));
    }
    clocks.report(state);
    expect(state, rig.flows().used() == options.flows, "a flow was removed");
  }
};

void add_of(uint8_t version) {
  for (const uint32_t flows : {1'000, 10'000, 100'000, 1'000'000, 4'000'000}) {
    add_bench<Hit>("hit", {.flows = flows, .version = version});
  }
  for (const uint32_t services : {1, 100'000}) {
    add_bench<Hit>("hit", {.flows = 10'000, .services = services, .version = version});
  }
  for (const uint32_t flows : {1'000, 100'000}) {
    add_bench<Hit>("hit", {.flows = flows, .protocol = kProtocolTcp, .version = version});
    add_bench<Hit>("hit", {.flows = flows, .version = version, .hops = BenchHops::resolved});
  }
  for (const uint32_t flows : {1'000, 1'000'000}) {
    add_bench<Plain>("plain", {.flows = flows, .version = version});
    add_bench<Housekeeping>("housekeeping", {.flows = flows, .version = version});
  }
  for (const uint32_t flows : {65'536, 4'000'000}) {
    add_bench<Setup>("setup", {.flows = flows, .version = version});
    add_bench<Connections>("connections",
                           {.flows = flows, .protocol = kProtocolTcp, .version = version});
  }
}

const bool added = (add_of(4), add_of(6), true);

}  // namespace
}  // namespace sluice
