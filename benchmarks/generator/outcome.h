// SPDX-License-Identifier: Apache-2.0
// What a run comes to, and how it is told: one JSON object a line on standard output.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "generator/checker.h"
#include "generator/histogram.h"

namespace sluice::generator {

// Counted from the start of a run.
struct Totals {
  uint64_t sent = 0, received = 0;
  uint64_t connections = 0;  // that came through whole
  uint64_t failed = 0;       // that did not in time; of the whole run in an outcome
};

struct Outcome {
  double seconds = 0;
  Totals totals;  // of the measured time
  uint64_t lost = 0;
  uint64_t flows = 0;      // setup: begun in the whole run
  uint64_t datagrams = 0;  // fragments: seen whole, in the whole run
  double busy = 0;         // share of the measured time
  double clocks_per_packet = 0;
  const Histogram* latency = nullptr;
};

void report_opened(uint64_t flows, double seconds);
void report_progress(double seconds, double packets_per_second);
void report_outcome(const Outcome& outcome, const Checker& checker);
void report_error(const std::string& code, const std::string& message);

}  // namespace sluice::generator
