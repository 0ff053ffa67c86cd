// SPDX-License-Identifier: Apache-2.0
#include "generator/timeline.h"

#include <rte_cycles.h>

#include <algorithm>

namespace sluice::generator {
namespace {

constexpr double kProgressSeconds = 0.5;

}  // namespace

Timeline::Timeline(const Traffic& traffic)
    : hz_(static_cast<double>(rte_get_tsc_hz())),
      measure_at_(rte_rdtsc() + static_cast<uint64_t>(traffic.warm_up_seconds * hz_)),
      end_at_(measure_at_ + static_cast<uint64_t>(traffic.seconds * hz_)),
      event_(0),
      round_(rte_rdtsc()),
      told_(round_) {}

bool Timeline::pass(uint64_t now, const Totals& totals) {
  if (phase_ == Phase::warm_up && now >= measure_at_) begin(now, totals);
  if (phase_ == Phase::measured && now >= end_at_) end(now, totals);
  if (phase_ == Phase::over) return false;
  const auto interval = static_cast<uint64_t>(kProgressSeconds * hz_);
  if (now - told_ >= interval) progress(now, totals);
  event_ = std::min(told_ + interval, phase_ == Phase::warm_up ? measure_at_ : end_at_);
  return true;
}

void Timeline::begin(uint64_t now, const Totals& totals) {
  phase_ = Phase::measured;
  measure_at_ = event_ = now;
  begun_ = now;
  at_begin_ = totals;
  busy_ = 0;
}

void Timeline::end(uint64_t now, const Totals& totals) {
  warmed_up(now, totals);
  phase_ = Phase::over;
  ended_ = now;
  at_end_ = totals;
}

void Timeline::progress(uint64_t now, const Totals& totals) {
  const double seconds = static_cast<double>(now - told_) / hz_;
  report_progress((static_cast<double>(now) - static_cast<double>(measure_at_)) / hz_,
                  static_cast<double>(totals.received - at_told_.received) / seconds);
  told_ = now;
  at_told_ = totals;
}

Outcome Timeline::outcome() const {
  Outcome outcome;
  const auto clocks = static_cast<double>(ended_ - begun_);
  outcome.seconds = clocks / hz_;
  outcome.totals = {at_end_.sent - at_begin_.sent, at_end_.received - at_begin_.received,
                    at_end_.connections - at_begin_.connections, at_end_.failed - at_begin_.failed};
  outcome.busy = clocks > 0 ? static_cast<double>(busy_) / clocks : 0;
  const uint64_t received = outcome.totals.received;
  outcome.clocks_per_packet =
      received > 0 ? static_cast<double>(busy_) / static_cast<double>(received) : 0;
  return outcome;
}

}  // namespace sluice::generator
