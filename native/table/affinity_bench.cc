// SPDX-License-Identifier: Apache-2.0
// What a new connection asks of the affinity table and leaves there; clients at random. And its
// sweep, 64 places a call: clocks are of
// one place.
#include "base/mix.h"
#include "table/affinity.h"
#include "testing/bench_clocks.h"
#include "testing/bench_names.h"

namespace sluice {
namespace {

constexpr uint32_t kService = 7, kNow_s = 100, kLater_s = 200;

Address client(uint32_t number) { return Ipv4::general(BenchNames<Ipv4>::client(mix(number))); }

// `capacity` places, three quarters of them in use.
struct Filled {
  explicit Filled(uint32_t capacity) : clients(capacity / 4 * 3), table(capacity) {
    for (uint32_t i = 0; i < clients; i++) {
      table.remember(client(i), kService, {i, 1}, kLater_s, kNow_s);
    }
  }
  void choose(bool there) {
    for (Address& address : asked) {
      address = client(mix(next++) % clients + (there ? 0 : clients));
    }
  }

  const uint32_t clients;
  AffinityTable table;
  Address asked[kBenchBatch];
  uint32_t next = 0;
};

void find(benchmark::State& state, uint32_t capacity, bool there) {
  Filled filled(capacity);
  uint32_t found = 0, asked = 0;
  time_each(
      state,
      [&] {
        filled.choose(there);
        asked += kBenchBatch;
      },
      [&](uint32_t i) {
        found += filled.table.find(filled.asked[i], kService, kNow_s).has_value();
      });
  // A full bucket has given up some of those that were remembered.
  if (there ? found < asked / 2 : found != 0) state.SkipWithError("wrong answers");
}

void remember(benchmark::State& state, uint32_t capacity) {
  Filled filled(capacity);
  time_each(
      state, [&] { filled.choose(true); },
      [&](uint32_t i) {
        filled.table.remember(filled.asked[i], kService, {i, 1}, kLater_s, kNow_s);
      });
}

void sweep(benchmark::State& state, uint32_t capacity) {
  Filled filled(capacity);
  uint32_t next = 0;
  time_whole(
      state, kBenchBatch, [] {}, [&] { filled.table.sweep(next, 0, 1, kBenchBatch, kNow_s); });
  if (filled.table.used() == 0) state.SkipWithError("too much was swept");
}

const bool added = [] {
  for (const uint32_t capacity : {1'024, 65'536}) {
    const std::string places = "/places:" + std::to_string(capacity);
    add_timed("affinity/find_hit" + places,
              [=](benchmark::State& state) { find(state, capacity, true); });
    add_timed("affinity/find_miss" + places,
              [=](benchmark::State& state) { find(state, capacity, false); });
    add_timed("affinity/remember" + places,
              [=](benchmark::State& state) { remember(state, capacity); });
    add_timed("affinity/sweep" + places, [=](benchmark::State& state) { sweep(state, capacity); });
  }
  return true;
}();

}  // namespace
}  // namespace sluice
