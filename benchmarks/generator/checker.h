// SPDX-License-Identifier: Apache-2.0
// Whether what came out is what a service proxy must make of what went in. Knows of each flow which
// backend it has: learned while flows are opened, held against everything that is looked at later.
#pragma once

#include <rte_mbuf.h>

#include <cstdint>
#include <vector>

#include "generator/options.h"
#include "generator/population.h"
#include "generator/received.h"

namespace sluice::generator {

struct Wrong {
  uint64_t checksum = 0, backend = 0, moved = 0, other = 0;
};

class Checker {
 public:
  static constexpr uint16_t kUnknown = UINT16_MAX;

  // `flows`: how many of them have a backend to be kept; 0: none has, as in setup runs.
  Checker(const Traffic& traffic, uint32_t flows);

  // Looks at one frame of a burst in full, and counts what is wrong with it.
  void check_one_of(rte_mbuf* const* mbufs, uint16_t count, Direction direction) {
    // Bursts are mostly of one length, and flows come in cycles: any regular choice would meet the
    // same flows again and again.
    choice_ = choice_ * 1'664'525 + 1'013'904'223;
    const rte_mbuf* chosen = mbufs[(uint64_t{choice_} * count) >> 32];
    check(rte_pktmbuf_mtod(chosen, const uint8_t*), chosen->data_len, direction);
  }
  // One frame in full.
  void check(const uint8_t* frame, uint32_t length, Direction direction);
  // Somebody else looked, and what was seen is not ours.
  void reject() {
    ++checked_;
    ++wrong_.other;
  }
  // The frame's flow if its addresses are those of a proxy's; else it is counted as wrong, and
  // UINT32_MAX returned.
  uint32_t flow_of(const Received& received, Direction direction);
  // The backend of a flow, from a query that has arrived; false, and counted, if it has another.
  bool learn(uint32_t flow, const Received& query);

  uint16_t backend_of(uint32_t flow) const { return backends_[flow]; }
  void prefetch(uint32_t flow) const { __builtin_prefetch(&backends_[flow]); }

  const Reader& reader() const { return reader_; }
  const Wrong& wrong() const { return wrong_; }
  uint64_t checked() const { return checked_; }
  // Queries that were looked at, by backend, of the first services.
  const std::vector<std::vector<uint64_t>>& shares() const { return shares_; }

 private:
  static constexpr uint32_t kSharesOf = 16;

  bool macs_right(const uint8_t* frame, Direction direction) const;
  void check_proxied(const Received& received, Direction direction);
  void check_forwarded(const uint8_t* frame, uint32_t length, Direction direction);

  const bool proxy_;
  const Attachment& client_;
  const Attachment& backend_;
  const Reader reader_;
  const Flows flows_;
  std::vector<uint16_t> backends_;
  Wrong wrong_;
  uint64_t checked_ = 0;
  uint32_t choice_ = 0;  // of a linear congruential generator
  std::vector<std::vector<uint64_t>> shares_;
};

}  // namespace sluice::generator
