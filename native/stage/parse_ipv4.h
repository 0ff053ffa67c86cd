// SPDX-License-Identifier: Apache-2.0
// Theory of operation. The IPv4 header: lengths (padding behind the packet is cut off), checksum,
// martian addresses, and which part of a datagram a fragment is; then L4.
#pragma once

#include "config/snapshot.h"
#include "packet/burst.h"

namespace sluice {

void parse_ipv4(Packet& packet, const InterfaceView& ingress, const Snapshot& snapshot);

}  // namespace sluice
