// SPDX-License-Identifier: Apache-2.0
// What the L4 header of a packet says that was received, or that an ICMP error quotes.
#pragma once

#include "packet/ip.h"

namespace sluice {

// Class of a packet, neighbour discovery apart. TCP, UDP, SCTP and ICMP have at least 8 bytes at
// `l4`.
template <class F>
PacketClass class_of(uint8_t protocol, const uint8_t* l4) {
  switch (protocol) {
    case kProtocolTcp:
      return PacketClass::tcp;
    case kProtocolUdp:
      return PacketClass::udp;
    case kProtocolSctp:
      return PacketClass::sctp;
    case Wire<F>::kIcmp: {
      const auto* icmp = header_at<IcmpHeader>(l4, 0);
      if (Wire<F>::is_error(icmp->type)) return PacketClass::icmp_error;
      const bool echo = icmp->type == Wire<F>::kEchoRequest || icmp->type == Wire<F>::kEchoReply;
      return echo && icmp->code == 0 ? PacketClass::echo : PacketClass::other;
    }
    default:
      return PacketClass::other;
  }
}

// Ports of TCP, UDP and SCTP; the identifier of an echo is the port of the side that asks.
template <class F>
PortsHeader ports_of(PacketClass type, const uint8_t* l4) {
  if (type != PacketClass::echo) return *header_at<PortsHeader>(l4, 0);
  const auto* icmp = header_at<IcmpHeader>(l4, 0);
  return icmp->type == Wire<F>::kEchoRequest ? PortsHeader{icmp->identifier, {}}
                                             : PortsHeader{{}, icmp->identifier};
}

// The identifier of an echo: one of the two ports, the other one is 0.
inline be16 identifier_of(be16 source_port, be16 destination_port) {
  return {static_cast<uint16_t>(source_port.raw | destination_port.raw)};
}

}  // namespace sluice
