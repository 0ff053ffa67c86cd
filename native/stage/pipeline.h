// SPDX-License-Identifier: Apache-2.0
// Theory of operation. The order of the stages, on one screen. The contract is docs/packet-path.md.
#pragma once

#include "packet/burst.h"
#include "stage/context.h"

namespace sluice {

// Runs received packets (data, length, in_interface, handle set; the rest need not be) through all
// stages and sends, answers, holds or drops each, and then the fragments that they have set free.
// Counts rx and every fate. Afterwards the burst's buffers belong to somebody else.
void run_burst(Burst& burst, Context& context);

// Once a poll, after the bursts: held packets, fragments, expired flows and affinity.
void run_housekeeping(Context& context);

// Drops what is held for `interface`, and fragments that came in by it and wait
// (interface_removed). Called by the worker itself.
void drop_held(Context& context, uint16_t interface);

}  // namespace sluice
