// SPDX-License-Identifier: Apache-2.0
// Theory of operation. Finds the flow of TCP and UDP packets. A pair that has expired, that points
// to a backend which is gone, or that a new SYN supersedes is removed on the way, and the packet is
// a miss (docs/packet-path.md, "flow").
#pragma once

#include "packet/burst.h"
#include "stage/context.h"

namespace sluice {

void run_flow(Burst& burst, Context& context);

// True: the packet belongs to a flow, which has counted it. Also what nat asks before it makes one.
bool follow_flow(Packet& packet, Context& context);

}  // namespace sluice
