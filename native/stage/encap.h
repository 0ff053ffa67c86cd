// SPDX-License-Identifier: Apache-2.0
// Theory of operation. Frames that leave by a tunnel get the headers of the packet that carries
// them, in front of them, and go on to the interface that leads to the tunnel's remote end
// (docs/packet-path.md, "encap"). Is called only where there is a tunnel.
#pragma once

#include "stage/context.h"

namespace sluice {

// Of the frames those that leave by a tunnel are put into their packets, in place; those that have
// met their fate, or wait, are taken out. Returns how many are left, in their order.
uint32_t encapsulate(Frame* frames, uint32_t count, Context& context);

}  // namespace sluice
