// SPDX-License-Identifier: Apache-2.0
// Theory of operation. TCP, UDP, SCTP and ICMP: class, ports, flags. A later fragment has no L4
// header: its ports come from the first one of its datagram (stage/fragment).
#pragma once

#include "packet/burst.h"
#include "packet/ip.h"

namespace sluice {

// Whether a fragment has data, in units of 8 bytes but for the last, within 65,535 bytes.
inline bool is_sound(const FragmentRange& range) {
  return range.length != 0 && (!range.more || range.length % 8 == 0) &&
         range.offset + range.length <= UINT16_MAX;
}

// Protocols whose headers are looked at; of these, later fragments go after the first one.
template <class F>
bool has_known_l4(uint8_t protocol) {
  return protocol == kProtocolTcp || protocol == kProtocolUdp || protocol == kProtocolSctp ||
         protocol == Wire<F>::kIcmp;
}

// The tuple has addresses and protocol; the ports are taken here.
template <class F>
void parse_l4(Packet& packet);

extern template void parse_l4<Ipv4>(Packet& packet);
extern template void parse_l4<Ipv6>(Packet& packet);

}  // namespace sluice
