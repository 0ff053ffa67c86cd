// SPDX-License-Identifier: Apache-2.0
// Frames that went in at one side and are to come out at the other.
#pragma once

#include <rte_cycles.h>

#include <cstdint>

#include "generator/port.h"

namespace sluice::generator {

class Flight {
 public:
  Flight(const Port& from, const Port& to);

  uint64_t sent() const { return from_.sent() - sent_before_; }
  uint64_t received() const { return to_.received() - received_before_; }

  // Whether `count` more may be sent, at most `window` being under way. Where nothing has come for
  // too long, what is under way is given up, so that a run goes on after losses.
  bool admits(uint32_t count, uint32_t window, uint64_t now) {
    if (received() != seen_) {
      seen_ = received();
      moved_at_ = now;
    }
    if (under_way() + from_.waiting() + count <= window) return true;
    if (now - moved_at_ > patience_) {
      given_up_ += static_cast<uint64_t>(under_way());
      moved_at_ = now;
    }
    return false;
  }

  // Calls `receive` until all has come, or nothing comes any more. Returns how many never came.
  template <class Receive>
  uint64_t drain(Receive&& receive) {
    uint64_t moved_at = rte_rdtsc();
    while (sent() > received() && rte_rdtsc() - moved_at < patience_) {
      const uint64_t before = received();
      receive();
      if (received() != before) moved_at = rte_rdtsc();
    }
    return sent() > received() ? sent() - received() : 0;
  }

 private:
  // Of what was given up some may come after all.
  int64_t under_way() const { return static_cast<int64_t>(sent() - received() - given_up_); }

  const Port& from_;
  const Port& to_;
  const uint64_t sent_before_, received_before_;
  const uint64_t patience_;
  uint64_t given_up_ = 0, seen_ = 0, moved_at_ = 0;
};

}  // namespace sluice::generator
