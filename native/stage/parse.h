// SPDX-License-Identifier: Apache-2.0
// Theory of operation. Looks at Ethernet, and through parse_ipv4, parse_ipv6 and parse_l4 at the
// rest of the headers. What passes is safe to read for all later stages: headers lie within the
// frame, lengths agree, addresses are unicast. Fills in class, five-tuple, hash, and offsets;
// everything else has met its fate, with the first rule that it broke as the reason
// (docs/packet-path.md, "parse").
#pragma once

#include "packet/burst.h"
#include "stage/context.h"

namespace sluice {

void run_parse(Burst& burst, Context& context);

// Packet `number` of the burst. `ingress`: its interface, or null; `mac`: its mac_word().
void parse_one(Burst& burst, uint32_t number, const InterfaceView* ingress, uint64_t mac,
               Context& context);

// One packet (data, length, in_interface and handle are set). Changes nothing outside of it.
void parse_packet(Packet& packet, const Snapshot& snapshot);

}  // namespace sluice
