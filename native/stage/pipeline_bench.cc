// SPDX-License-Identifier: Apache-2.0
// The whole packet path, `run_burst`, without an interface driver: one worker, bursts of 64 frames
// of 60 bytes in buffers as of a memory pool. Frames are written and views made outside of what is
// timed.
//   hit           packets of flows that are there, picked at random; a burst of queries and a burst
//                 of replies in turn
//   plain         packets to where no service is, routed as they are
//   setup         UDP packets, each the first of a new flow
//   connections   whole TCP connections, from SYN to the last ACK; clocks are of one connection
//   setup_full, connections_full  the same in a full table: each flow takes the place of an older
//   one housekeeping  what follows the bursts of each poll; clocks are of one poll
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

template <size_t kSteps>
using BenchSteps = const BenchStep (&)[kSteps];

// New connections, a burst of them, `steps` packets each; `run()` runs the worker.
template <class F, size_t kSteps, class Run>
void make_burst(BenchWorker& worker, BenchTraffic<F>& traffic, BenchSteps<kSteps> steps,
                uint32_t first, Run&& run) {
  for (const BenchStep& step : steps) {
    traffic.fill(worker, step, first);
    run();
    traffic.learn(worker, step, first);
  }
}

// Until all flows of the options are there; then they are removed, outside of what is timed, and it
// begins again.
template <class F, size_t kSteps>
void make_flows(benchmark::State& state, const BenchOptions& options, BenchSteps<kSteps> steps) {
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
    make_burst<F>(rig.worker, rig.traffic, steps, first, [&] { taken += rig.worker.run_timed(); });
    state.SetIterationTime(clocks.add(taken));
    first += kMaxBurst;
    made += kMaxBurst;
  }
  clocks.report(state);
  expect(state, rig.flows().used() == first, "a packet made no flow");
  expect(state, rig.worker.counter(WorkerCounter::flowsCreated) - made_before == made,
         "flows were made twice");
  expect(state, rig.worker.has_forwarded_all(), "not all packets were forwarded");
  rig.empty();
}

// In a table that is filled first; each burst is a poll. Connections that have closed have expired
// by the next burst, so that the hand always finds one.
template <class F, size_t kSteps>
void replace_flows(benchmark::State& state, const BenchOptions& options, BenchSteps<kSteps> steps) {
  auto& rig = BenchRig<F>::of(options, false);
  const Limits& limits = rig.world.limits;
  const uint32_t bursts_of_table = rig.flows().capacity() / kMaxBurst;
  BenchTraffic<F> traffic(rig.world, {0, 4 * bursts_of_table * kMaxBurst});
  uint32_t burst = 0;
  auto next = [&](auto&& run) {
    rig.worker.advance(options.protocol == kProtocolTcp ? limits.timeouts.tcp_time_wait : 0);
    const uint32_t first = burst++ % (4 * bursts_of_table) * kMaxBurst;
    make_burst<F>(rig.worker, traffic, steps, first, run);
    rig.worker.next_poll();
  };
  while (burst < bursts_of_table) next([&] { rig.worker.run(); });
  const uint64_t made_before = rig.worker.counter(WorkerCounter::flowsCreated);
  const uint32_t used_before = rig.flows().used();
  BenchClocks clocks(kMaxBurst);
  for (auto _ : state) {
    uint64_t taken = 0;
    next([&] { taken += rig.worker.run_timed(); });
    state.SetIterationTime(clocks.add(taken));
  }
  clocks.report(state);
  const uint64_t made = rig.worker.counter(WorkerCounter::flowsCreated) - made_before;
  expect(state, made == uint64_t{burst - bursts_of_table} * kMaxBurst, "a packet made no flow");
  expect(state, rig.flows().used() <= used_before + kMaxBurst, "the table was not full");
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
struct SetupFull {
  static void run(benchmark::State& state, const BenchOptions& options) {
    replace_flows<F>(state, options, kQuery);
  }
};

template <class F>
struct ConnectionsFull {
  static void run(benchmark::State& state, const BenchOptions& options) {
    replace_flows<F>(state, options, kConnection);
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
  for (const uint32_t flows : {65'536, 1'000'000}) {
    add_bench<SetupFull>("setup_full", {.flows = flows, .version = version});
    add_bench<ConnectionsFull>("connections_full",
                               {.flows = flows, .protocol = kProtocolTcp, .version = version});
  }
}

const bool added = (add_of(4), add_of(6), true);

}  // namespace
}  // namespace sluice
