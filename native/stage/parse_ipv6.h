// SPDX-License-Identifier: Apache-2.0
// Theory of operation. The IPv6 header and its extension headers: lengths, martian addresses, which
// part of a datagram a fragment is, and what is neighbour discovery, which has rules of its own;
// then L4.
#pragma once

#include "config/snapshot.h"
#include "packet/burst.h"

namespace sluice {

// `group`: it came in a multicast or broadcast frame.
void parse_ipv6(Packet& packet, const InterfaceView& ingress, const Snapshot& snapshot, bool group);

}  // namespace sluice
