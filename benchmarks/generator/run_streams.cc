// SPDX-License-Identifier: Apache-2.0
// Runs of data frames on flows of their own accord: nothing that is sent depends on what has come.
#include <algorithm>
#include <cmath>

#include "generator/runs.h"
#include "generator/timeline.h"

namespace sluice::generator {
namespace {

constexpr uint32_t kQuerySeed = 1, kReplySeed = 2;

Draw spread(const Rig& rig, uint32_t seed) {
  return Draw::spread(rig.traffic.population.flows, rig.traffic.population.zipf, seed);
}

Totals totals_of(const Stream& queries, const Stream& replies) {
  return {queries.sent() + replies.sent(), queries.received() + replies.received()};
}

}  // namespace

Outcome run_throughput(const Rig& rig) {
  const Run& run = rig.traffic.run;
  const uint16_t burst = rig.traffic.burst;
  Stream queries(rig, Direction::query, spread(rig, kQuerySeed));
  Stream replies(rig, Direction::reply, spread(rig, kReplySeed));
  Timeline timeline(rig.traffic);
  for (uint64_t now = rte_rdtsc(); timeline.goes_on(now, totals_of(queries, replies));
       now = rte_rdtsc()) {
    // One for one: neither direction runs away from the other by more than a window.
    if (!run.both || queries.sent() < replies.sent() + run.window) {
      queries.send(burst, run.window, now);
    }
    queries.receive();
    if (!run.both) continue;
    if (replies.sent() < queries.sent() + run.window) replies.send(burst, run.window, now);
    replies.receive();
  }
  Outcome outcome = timeline.outcome();
  outcome.lost = queries.drain() + replies.drain();
  return outcome;
}

Outcome run_latency(const Rig& rig, Histogram& latency) {
  Stream queries(rig, Direction::query, spread(rig, kQuerySeed));
  Stream replies(rig, Direction::reply, spread(rig, kReplySeed));
  Timeline timeline(rig.traffic);
  const auto hz = static_cast<double>(rte_get_tsc_hz());
  const double interval = hz / rig.traffic.run.packets_per_second;
  // What is late by more, because this process did not run or the rings are full, is left out.
  const double most_late = hz / 1'000;
  // The other side must have room for what comes out, however long this process does not run.
  const uint32_t window = rig.traffic.ring / 2;
  auto due = static_cast<double>(rte_rdtsc());
  Stream* next = &queries;
  const uint64_t measure_at = rte_rdtsc() + static_cast<uint64_t>(rig.traffic.warm_up_seconds * hz);
  for (uint64_t now = rte_rdtsc(); timeline.goes_on(now, totals_of(queries, replies));
       now = rte_rdtsc()) {
    const double late = static_cast<double>(now) - due;
    if (late > most_late) due += late - most_late;
    if (late >= 0) {
      // Half of what is due now, at least one: the other direction has its turn next.
      const double half = std::floor(late / interval / 2) + 1;
      const auto count = static_cast<uint16_t>(std::clamp<double>(half, 1, rig.traffic.burst));
      due += interval * next->send(count, window, now);
      next = next == &queries ? &replies : &queries;
    }
    Histogram* const into = now >= measure_at ? &latency : nullptr;
    queries.receive(into);
    replies.receive(into);
  }
  Outcome outcome = timeline.outcome();
  outcome.lost = queries.drain() + replies.drain();
  outcome.latency = &latency;
  return outcome;
}

Outcome run_setup_udp(const Rig& rig) {
  const Run& run = rig.traffic.run;
  Stream queries(rig, Direction::query, Draw::fresh(run.first));
  Timeline timeline(rig.traffic);
  const auto totals = [&] {
    return Totals{queries.sent(), queries.received(), queries.received()};
  };
  uint64_t now = rte_rdtsc();
  for (; timeline.goes_on(now, totals()); now = rte_rdtsc()) {
    if (queries.sent() > warm_up_flows(run)) timeline.warmed_up(now, totals());
    if (queries.sent() + queries.waiting() + rig.traffic.burst > run.limit) {
      timeline.end(now, totals());
      break;
    }
    queries.send(rig.traffic.burst, run.window, now);
    queries.receive();
  }
  Outcome outcome = timeline.outcome();
  outcome.lost = queries.drain();
  outcome.flows = queries.sent() + queries.waiting();
  return outcome;
}

}  // namespace sluice::generator
