// SPDX-License-Identifier: Apache-2.0
// The Internet checksum of a header and of whole packets, and its incremental update.
#include "base/checksum.h"
#include "testing/bench_clocks.h"

namespace sluice {
namespace {

void full(benchmark::State& state, size_t length) {
  uint8_t bytes[2'048] = {};
  be16 checksum{};
  // Each depends on the one before: clocks are its latency.
  time_each(
      state, [] {},
      [&](uint32_t) {
        std::memcpy(bytes, &checksum, sizeof(checksum));
        benchmark::DoNotOptimize(checksum = full_checksum(bytes, length));
      });
}

void update(benchmark::State& state) {
  be16 checksum{};
  time_each(
      state, [] {},
      [&](uint32_t i) {
        benchmark::DoNotOptimize(checksum = update_checksum(checksum, uint64_t{i}));
      });
}

const bool added = [] {
  for (const size_t length : {20, 40, 1'480}) {
    add_timed("checksum/bytes:" + std::to_string(length),
              [length](benchmark::State& state) { full(state, length); });
  }
  add_timed("checksum/update", update);
  return true;
}();

}  // namespace
}  // namespace sluice
