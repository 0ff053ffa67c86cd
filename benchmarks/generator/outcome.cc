// SPDX-License-Identifier: Apache-2.0
#include "generator/outcome.h"

#include <rte_cycles.h>

#include <cstdio>
#include <nlohmann/json.hpp>

namespace sluice::generator {
namespace {

using nlohmann::json;

void write(const json& event) {
  std::puts(event.dump().c_str());
  std::fflush(stdout);
}

double nanoseconds(uint64_t clocks) {
  return static_cast<double>(clocks) * 1e9 / static_cast<double>(rte_get_tsc_hz());
}

json latency_of(const Histogram& histogram) {
  json buckets = json::array();
  for (size_t bucket = 0; bucket < Histogram::kBuckets; ++bucket) {
    if (histogram.count(bucket) == 0) continue;
    buckets.push_back({nanoseconds(Histogram::upper_bound(bucket)), histogram.count(bucket)});
  }
  return {{"samples", histogram.samples()},
          {"min", nanoseconds(histogram.least())},
          {"p50", nanoseconds(histogram.quantile(0.5))},
          {"p99", nanoseconds(histogram.quantile(0.99))},
          {"p999", nanoseconds(histogram.quantile(0.999))},
          {"max", nanoseconds(histogram.most())},
          {"histogram", buckets}};
}

}  // namespace

void report_opened(uint64_t flows, double seconds) {
  write({{"event", "opened"}, {"flows", flows}, {"seconds", seconds}});
}

void report_progress(double seconds, double packets_per_second) {
  write({{"event", "progress"}, {"seconds", seconds}, {"packetsPerSecond", packets_per_second}});
}

void report_outcome(const Outcome& outcome, const Checker& checker) {
  const Totals& totals = outcome.totals;
  const Wrong& wrong = checker.wrong();
  const json latency = outcome.latency ? latency_of(*outcome.latency) : json();
  write({{"event", "outcome"},
         {"outcome",
          {{"seconds", outcome.seconds},
           {"sent", totals.sent},
           {"received", totals.received},
           {"packetsPerSecond",
            outcome.seconds > 0 ? static_cast<double>(totals.received) / outcome.seconds : 0},
           {"lost", outcome.lost},
           {"wrong",
            {{"checksum", wrong.checksum},
             {"backend", wrong.backend},
             {"moved", wrong.moved},
             {"other", wrong.other}}},
           {"checked", checker.checked()},
           {"connections", totals.connections},
           {"failed", totals.failed},
           {"flows", outcome.flows},
           {"datagrams", outcome.datagrams},
           {"latency", latency},
           {"shares", checker.shares()},
           {"generator",
            {{"busy", outcome.busy}, {"clocksPerPacket", outcome.clocks_per_packet}}}}}});
}

void report_error(const std::string& code, const std::string& message) {
  write({{"event", "error"}, {"code", code}, {"message", message}});
}

}  // namespace sluice::generator
