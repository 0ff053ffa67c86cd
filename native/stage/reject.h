// SPDX-License-Identifier: Apache-2.0
// Theory of operation. Drops a packet and tells its sender, by a TCP reset or an ICMP port
// unreachable, within a budget: whoever sends a flood must not make us send one
// (docs/packet-path.md, "Rejected").
#pragma once

#include "packet/burst.h"
#include "stage/context.h"

namespace sluice {

// The packet's bytes are still as they came in.
template <class F>
void reject(Packet& packet, DropReason reason, Context& context);

// Whether the sender of a rejected packet is told at all, budget or not.
template <class F>
bool may_tell(const Packet& packet);

}  // namespace sluice
