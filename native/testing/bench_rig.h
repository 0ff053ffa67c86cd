// SPDX-License-Identifier: Apache-2.0
// A world, its worker and traffic, which the repetitions of one benchmark share: millions of flows
// take seconds to open.
#pragma once

#include <memory>
#include <string>

#include "testing/bench_clocks.h"
#include "testing/bench_traffic.h"

namespace sluice {

template <class F>
struct BenchRig {
  // The rig that was asked for last, if it is of the same kind; there is one at a time. `open`:
  // with all flows of the options in its tables.
  static BenchRig& of(const BenchOptions& options, bool open) {
    static std::unique_ptr<BenchRig> last;
    if (!last || !(last->world.options == options) || last->opened != open) {
      last.reset();
      last = std::make_unique<BenchRig>(options, open);
    }
    return *last;
  }

  BenchRig(const BenchOptions& options, bool open)
      : world(options), worker(world), traffic(world, {0, options.flows}), opened(open) {
    traffic.open(worker);
    if (!open) empty();
  }

  // Removes all flows. Their memory has been touched: what opens them again meets no page faults.
  void empty() {
    FlowTable<F>& table = flows();
    for (uint32_t index = 0; index < 2 * table.capacity(); index += 2) {
      if (table.alive(index)) table.remove(worker.context.template flow_cache<F>(), index);
    }
    worker.next_poll();
  }

  FlowTable<F>& flows() { return worker.context.template flows<F>(); }

  BenchWorld world;
  BenchWorker worker;
  BenchTraffic<F> traffic;
  const bool opened;
};

// `hit/ipv4/udp/flows:1000/services:1000`.
inline std::string bench_name(const std::string& what, const BenchOptions& options) {
  return what + "/ipv" + std::to_string(options.version) +
         (options.protocol == kProtocolUdp ? "/udp" : "/tcp") +
         (options.hops == BenchHops::given ? "" : "/neighbours") +
         "/flows:" + std::to_string(options.flows) +
         "/services:" + std::to_string(options.services);
}

// Registers `Bench<F>::run(state, options)`, which sets the time of its iterations.
template <template <class> class Bench>
void add_bench(const std::string& what, const BenchOptions& options) {
  add_timed(bench_name(what, options), [options](benchmark::State& state) {
    options.version == 4 ? Bench<Ipv4>::run(state, options) : Bench<Ipv6>::run(state, options);
  });
}

}  // namespace sluice
