// SPDX-License-Identifier: Apache-2.0
// The kinds of run, each from warm-up to the last frame.
#pragma once

#include "generator/outcome.h"
#include "generator/stream.h"

namespace sluice::generator {

// Whether flows have to be opened before, and are kept.
bool uses_open_flows(const Run& run);

// Of a setup run: the warm-up ends after so many at the latest, lest nothing be left to measure.
uint32_t warm_up_flows(const Run& run);

// Every flow of the population. Throws OpeningFailed.
void open_flows(const Rig& rig);

Outcome run_throughput(const Rig& rig);
// Reports into `latency`, which the outcome then points to.
Outcome run_latency(const Rig& rig, Histogram& latency);
Outcome run_setup_udp(const Rig& rig);
Outcome run_setup_tcp(const Rig& rig);
Outcome run_fragments(const Rig& rig);

struct OpeningFailed : std::runtime_error {
  using std::runtime_error::runtime_error;
};

}  // namespace sluice::generator
