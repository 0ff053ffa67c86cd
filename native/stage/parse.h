// SPDX-License-Identifier: Apache-2.0
// Theory of operation. Checks what later stages rely on: after it, every pending packet is an ARP
// frame for us, or an IPv4 packet whose header and L4 header lie within the frame, and whose
// five-tuple and hash are taken. The order of the checks is the contract (docs/packet-path.md,
// "parse").
#pragma once

#include "packet/burst.h"
#include "stage/context.h"

namespace sluice {

// Resets every packet's working fields; sets type, offsets, tuple and hash.
void run_parse(Burst& burst, Context& context);

}  // namespace sluice
