// SPDX-License-Identifier: Apache-2.0
// Theory of operation. Gives a routed packet its MAC addresses. Where the next hop is not resolved,
// the packet is held and ARP asked; the walk over held packets, once a poll, sends or drops them
// (docs/packet-path.md, "neighbour").
#pragma once

#include "packet/burst.h"
#include "stage/context.h"

namespace sluice {

void run_neighbour(Burst& burst, Context& context);

// The walk: once a poll, in order of arrival.
void walk_held(Context& context);

}  // namespace sluice
