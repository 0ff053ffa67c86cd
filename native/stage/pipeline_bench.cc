// SPDX-License-Identifier: Apache-2.0
// The whole packet path, `run_burst`, without an interface driver: one worker, frames of 60 bytes
// in buffers as of a memory pool. Frames are written and views made outside of what is timed.
// `hit`: packets of flows that are there, picked at random, a burst of queries and a burst of
// replies in turn.
#include <memory>
#include <string>

#include "testing/bench_clocks.h"
#include "testing/bench_traffic.h"

namespace sluice {
namespace {

// What the repetitions of one benchmark share.
template <class F>
struct Rig {
  explicit Rig(const BenchOptions& options)
      : world(options), worker(world), traffic(world, {0, options.flows}) {
    traffic.open(worker);
  }

  BenchWorld world;
  BenchWorker worker;
  BenchTraffic<F> traffic;
};

template <class F>
void hit(benchmark::State& state, const BenchOptions& options) {
  // Kept from one repetition to the next, and no longer: millions of flows take seconds to open.
  static std::unique_ptr<Rig<F>> rig;
  if (!rig || !(rig->world.options == options)) {
    rig.reset();
    rig = std::make_unique<Rig<F>>(options);
  }
  BenchClocks clocks(2 * kMaxBurst);
  for (auto _ : state) {
    uint64_t taken = 0;
    for (const uint16_t interface : {0, 1}) {
      rig->traffic.fill(rig->worker, interface);
      taken += rig->worker.run_timed();
    }
    state.SetIterationTime(clocks.add(taken));
  }
  clocks.report(state);
  state.SetItemsProcessed(state.iterations() * 2 * kMaxBurst);
  for (const uint16_t interface : {0, 1}) {
    rig->traffic.fill(rig->worker, interface);
    rig->worker.run();
    if (!rig->traffic.has_left(rig->worker, interface)) state.SkipWithError("a frame left wrongly");
  }
  const uint64_t made = rig->worker.counter(WorkerCounter::flowsCreated);
  if (!rig->worker.has_forwarded_all()) state.SkipWithError("not all packets were forwarded");
  if (made != options.flows) state.SkipWithError("not all packets were of flows that are there");
}

void add_hit(BenchOptions options) {
  const std::string name = std::string("hit/ipv") + (options.version == 4 ? '4' : '6') +
                           (options.protocol == kProtocolUdp ? "/udp" : "/tcp") +
                           (options.hops == BenchHops::given ? "" : "/neighbours") +
                           "/flows:" + std::to_string(options.flows) +
                           "/services:" + std::to_string(options.services);
  auto run = [options](benchmark::State& state) {
    options.version == 4 ? hit<Ipv4>(state, options) : hit<Ipv6>(state, options);
  };
  benchmark::RegisterBenchmark(name.c_str(), run)->UseManualTime()->Apply(with_spread);
}

const bool added = [] {
  for (const uint8_t version : {4, 6}) {
    for (const uint32_t flows : {1'000, 10'000, 100'000, 1'000'000, 4'000'000}) {
      add_hit({.flows = flows, .version = version});
    }
    add_hit({.flows = 10'000, .services = 1, .version = version});
    add_hit({.flows = 10'000, .services = 100'000, .version = version});
    for (const uint32_t flows : {1'000, 100'000}) {
      add_hit({.flows = flows, .protocol = kProtocolTcp, .version = version});
      add_hit({.flows = flows, .version = version, .hops = BenchHops::resolved});
    }
  }
  return true;
}();

}  // namespace
}  // namespace sluice
