// SPDX-License-Identifier: Apache-2.0
// Theory of operation. Takes packets for one of our tunnels out of those that carry them, in place,
// and parses them anew as packets that came in by the tunnel (docs/packet-path.md, "decap"). Is
// called only where there is a tunnel.
#pragma once

#include "packet/burst.h"
#include "stage/context.h"

namespace sluice {

// Before parse: GRE and IPIP from a tunnel's remote end, where nothing about the carrying packet is
// unusual. By the same rules; of what is left nothing is said. Saves that packet the whole of
// parse.
void run_plain_decap(Burst& burst, Context& context);

// Behind parse: all others.
void run_decap(Burst& burst, Context& context);

// One packet that parse has let pass, of an interface that is no tunnel. True: it has been taken
// out, and is to be parsed. False: it was dropped, or is for no tunnel and as it was.
bool decapsulate(Packet& packet, const Snapshot& snapshot);

}  // namespace sluice
