// SPDX-License-Identifier: Apache-2.0
// Warm-up, measured time, end. Asked once a round of a run's loop.
#pragma once

#include <cstdint>

#include "generator/options.h"
#include "generator/outcome.h"

namespace sluice::generator {

class Timeline {
 public:
  explicit Timeline(const Traffic& traffic);

  // Whether the run goes on, given the time and what it has come to so far.
  bool goes_on(uint64_t now, const Totals& totals) {
    // A round in which nothing moved was spent waiting for the other side.
    if (totals.sent + totals.received != moved_) {
      moved_ = totals.sent + totals.received;
      busy_ += now - round_;
    }
    round_ = now;
    if (now < event_) return true;
    return pass(now, totals);
  }
  // Ends the warm-up now, if it has not ended.
  void warmed_up(uint64_t now, const Totals& totals) {
    if (phase_ == Phase::warm_up) begin(now, totals);
  }
  // Ends the measured time now.
  void end(uint64_t now, const Totals& totals);
  // The measured time's part of an outcome.
  Outcome outcome() const;

 private:
  enum class Phase { warm_up, measured, over };

  bool pass(uint64_t now, const Totals& totals);
  void begin(uint64_t now, const Totals& totals);
  void progress(uint64_t now, const Totals& totals);

  const double hz_;
  Phase phase_ = Phase::warm_up;
  uint64_t measure_at_, end_at_;  // TSC
  uint64_t event_;                // when `pass` is next to be asked
  uint64_t round_, moved_ = 0, busy_ = 0;
  uint64_t begun_ = 0, ended_ = 0, told_;
  Totals at_begin_, at_end_, at_told_;
};

}  // namespace sluice::generator
