// SPDX-License-Identifier: Apache-2.0
// Theory of operation. A kernel that believes its peer to have checksum offload leaves the checksum
// to it: the field holds the sum of the pseudo header alone (SCTP: zero). On interfaces that say
// so, such checksums are finished here, so that all that follows may update them incrementally
// (docs/packet-path.md, "Unfinished checksums").
#pragma once

#include "packet/burst.h"

namespace sluice {

// Of a packet that was parsed; does nothing to fragments.
template <class F>
void finish_checksums(Packet& packet);

extern template void finish_checksums<Ipv4>(Packet& packet);
extern template void finish_checksums<Ipv6>(Packet& packet);

}  // namespace sluice
