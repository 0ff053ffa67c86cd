// SPDX-License-Identifier: Apache-2.0
// Finding neighbours at random, as each packet does whose route has no MAC, and of addresses that
// are no neighbours.
#include "base/mix.h"
#include "table/neighbours.h"
#include "testing/bench_clocks.h"
#include "testing/bench_names.h"

namespace sluice {
namespace {

constexpr uint8_t kMac[6] = {2, 1, 1, 1, 1, 1};

template <class F>
void find(benchmark::State& state, uint32_t count, bool there) {
  NeighbourTable table(4'096);
  for (uint32_t i = 0; i < count; i++) {
    table.find_or_add(1, F::general(BenchNames<F>::backend(i)))->learn(kMac, 0);
  }
  Address asked[kBenchBatch];
  uint32_t next = 0;
  auto prepare = [&] {
    for (Address& address : asked) {
      address = F::general(BenchNames<F>::backend(mix(next++) % count + (there ? 0 : count)));
    }
  };
  bool right = true;
  time_each(state, prepare,
            [&](uint32_t i) { right &= (table.find(1, asked[i]) != nullptr) == there; });
  if (!right) state.SkipWithError("a wrong answer");
}

void add(uint32_t count, bool there) {
  const std::string name = std::string("neighbours/find_") + (there ? "hit" : "miss");
  const std::string neighbours = "/neighbours:" + std::to_string(count);
  add_timed(name + "/ipv4" + neighbours,
            [=](benchmark::State& state) { find<Ipv4>(state, count, there); });
  add_timed(name + "/ipv6" + neighbours,
            [=](benchmark::State& state) { find<Ipv6>(state, count, there); });
}

const bool added = [] {
  for (const uint32_t count : {1, 64, 1'024, 4'096}) {
    for (const bool there : {true, false}) add(count, there);
  }
  return true;
}();

}  // namespace
}  // namespace sluice
