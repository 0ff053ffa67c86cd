// SPDX-License-Identifier: Apache-2.0
// Longest-prefix match of addresses at random, each with a route of its own length below a default
// route.
#include "base/mix.h"
#include "table/routes.h"
#include "testing/bench_clocks.h"
#include "testing/bench_names.h"
#include "testing/eal.h"

namespace sluice {
namespace {

constexpr uint32_t kHops = 16;

template <class F>
void lookup(benchmark::State& state, uint32_t count) {
  start_eal();
  const auto table = RouteTable<F>::create(count + 1);
  if (table == nullptr) return state.SkipWithError("no memory for the table");
  // A table for many IPv4 routes is one for short ones.
  const uint32_t host_bits = F::kVersion == 4 && count > kWalkedRoutes ? 8 : 4;
  bool right = table->put({}, 0, kHops);
  for (uint32_t i = 0; i < count; i++) {
    right &= table->put(BenchNames<F>::backend(i << host_bits), F::kBits - host_bits, i % kHops);
  }
  typename F::Address asked[kBenchBatch];
  uint32_t wanted[kBenchBatch], next = 0;
  auto prepare = [&] {
    for (uint32_t i = 0; i < kBenchBatch; i++) {
      const uint32_t route = mix(next) % count;
      asked[i] = BenchNames<F>::backend(route << host_bits | (next & 15));
      wanted[i] = route % kHops;
      next++;
    }
  };
  time_each(state, prepare, [&](uint32_t i) { right &= table->lookup(asked[i]) == wanted[i]; });
  if (!right) state.SkipWithError("a wrong answer");
}

const bool added = [] {
  for (const uint32_t count : {1, 16, 1'000, 65'000, 1'000'000}) {
    const std::string routes = "/routes:" + std::to_string(count);
    add_timed("routes/lookup/ipv4" + routes,
              [count](benchmark::State& state) { lookup<Ipv4>(state, count); });
    add_timed("routes/lookup/ipv6" + routes,
              [count](benchmark::State& state) { lookup<Ipv6>(state, count); });
  }
  return true;
}();

}  // namespace
}  // namespace sluice
