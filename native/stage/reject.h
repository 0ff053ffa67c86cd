// SPDX-License-Identifier: Apache-2.0
// Theory of operation. Drops a packet and tells its sender, within a budget: whoever sends a flood
// must not make us send one. Who is not let in gets a TCP reset or an ICMP port unreachable from
// whom it wrote to (docs/packet-path.md, "Rejected"); whose packet cannot be sent on gets an ICMP
// error from us ("Told"). The packet's bytes are still as they came in.
#pragma once

#include "packet/burst.h"
#include "stage/context.h"

namespace sluice {

template <class F>
void reject(Packet& packet, DropReason reason, Context& context);

// `reason`: one of those of find_way; out_interface is set where it is mtu_exceeded.
template <class F>
void turn_back(Packet& packet, DropReason reason, Context& context);

// Whether the sender of a rejected packet is told at all, budget or not.
template <class F>
bool may_tell(const Packet& packet);

// Likewise of a packet that is turned back.
template <class F>
bool may_turn_back(const Packet& packet, const Snapshot& snapshot);

}  // namespace sluice
