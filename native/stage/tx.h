// SPDX-License-Identifier: Apache-2.0
// Theory of operation. Sends what the stages have decided, interface by interface and in order,
// frees what was dropped, and counts every fate (docs/packet-path.md, "tx").
#pragma once

#include "packet/burst.h"
#include "stage/context.h"

namespace sluice {

// At most kMaxBurst frames.
// Frames of tunnels are changed into those that carry them.
void send_frames(Context& context, Frame* frames, uint32_t count);

// Sends and forgets what the burst or walk has originated.
void send_originated(Context& context);

void drop_frame(Context& context, void* handle, DropReason reason);
// The same; of a frame of our own nothing is counted.
void drop_frame(Context& context, const Frame& frame, DropReason reason);

void run_tx(Burst& burst, Context& context);

}  // namespace sluice
