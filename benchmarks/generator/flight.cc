// SPDX-License-Identifier: Apache-2.0
#include "generator/flight.h"

namespace sluice::generator {
namespace {

// Longer than the other side is kept waiting where somebody else has its CPU.
constexpr double kPatienceSeconds = 0.1;

}  // namespace

Flight::Flight(const Port& from, const Port& to)
    : from_(from),
      to_(to),
      sent_before_(from.sent()),
      received_before_(to.received()),
      patience_(static_cast<uint64_t>(kPatienceSeconds * static_cast<double>(rte_get_tsc_hz()))) {}

}  // namespace sluice::generator
