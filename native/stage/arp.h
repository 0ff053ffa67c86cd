// SPDX-License-Identifier: Apache-2.0
// Theory of operation. ARP: answers requests for our addresses in place, and learns from what
// concerns us (docs/packet-path.md, "arp").
#pragma once

#include <optional>

#include "packet/burst.h"
#include "stage/context.h"

namespace sluice {

void run_arp(Burst& burst, Context& context);

// Nothing: the packet is to be answered; else why it ends here.
std::optional<DropReason> judge_arp(const Packet& packet, const Snapshot& snapshot);

}  // namespace sluice
