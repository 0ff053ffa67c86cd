// SPDX-License-Identifier: Apache-2.0
// Theory of operation. Asks for the MAC of a neighbour, by ARP or by neighbour discovery, at most
// once a second (docs/packet-path.md, "neighbour").
#pragma once

#include "stage/context.h"

namespace sluice {

// The request goes out behind the burst or the walk that made it.
void solicit(Neighbour& neighbour, uint16_t interface, const Address& target, Context& context);

}  // namespace sluice
