// SPDX-License-Identifier: Apache-2.0
// Theory of operation. Neighbour discovery, IPv6's ARP: answers solicitations of our addresses in
// place, and learns from what concerns us. An interface has, here alone, also the link-local
// address made of its MAC (docs/packet-path.md, "nd").
#pragma once

#include <optional>

#include "packet/burst.h"
#include "stage/context.h"

namespace sluice {

void run_nd(Burst& burst, Context& context);

// Nothing: the packet is to be answered; else why it ends here.
std::optional<DropReason> judge_nd(const Packet& packet, const Context& context);

}  // namespace sluice
