// SPDX-License-Identifier: Apache-2.0
// Theory of operation. Learns from ARP (RFC 826) what concerns us and answers requests for our own
// addresses in place. Every ARP packet meets its fate here (docs/packet-path.md, "arp").
#pragma once

#include "packet/burst.h"
#include "stage/context.h"

namespace sluice {

void run_arp(Burst& burst, Context& context);

}  // namespace sluice
