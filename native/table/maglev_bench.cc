// SPDX-License-Identifier: Apache-2.0
// Building the table of a pool. Clocks are of one table.
#include <cstring>

#include "base/endian.h"
#include "table/maglev.h"
#include "testing/bench_clocks.h"

namespace sluice {
namespace {

void build(benchmark::State& state, uint32_t count) {
  std::vector<MaglevBackend> backends(count);
  for (uint32_t i = 0; i < count; i++) {
    const be32 number = be32::from_host(i);
    std::memcpy(backends[i].address + 12, &number, sizeof(number));
    backends[i].port = 8080;
    backends[i].weight = 1;
  }
  time_whole(
      state, 1, [] {}, [&] { benchmark::DoNotOptimize(build_maglev(backends)); });
}

const bool added = [] {
  for (const uint32_t count : {1, 3, 100, 1'000, 10'000}) {
    add_timed("maglev/build/backends:" + std::to_string(count),
              [count](benchmark::State& state) { build(state, count); });
  }
  return true;
}();

}  // namespace
}  // namespace sluice
