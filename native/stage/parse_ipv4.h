// SPDX-License-Identifier: Apache-2.0
// Theory of operation. The IPv4 header: lengths (padding behind the packet is cut off), checksum,
// martian addresses, and which part of a datagram a fragment is; then L4.
#pragma once

#include "base/checksum.h"
#include "config/snapshot.h"
#include "packet/ip.h"
#include "stage/parse_l4.h"

namespace sluice {

// First octets that no unicast address has: 0/8, 127/8, and 224/3 (multicast, reserved, broadcast).
inline bool is_martian(be32 address) {
  const auto first = static_cast<uint8_t>(address.raw);
  return first == 0 || first == 127 || first >= 224;
}

// False: it is no sound fragment.
inline bool take_fragment(Packet& packet, const Ipv4Header& ip) {
  if (!is_fragment(ip)) return true;
  const uint16_t word = ip.flags_fragment.host();
  const uint32_t offset = (word & kIpv4OffsetMask) * 8u;
  packet.fragment = offset == 0 ? FragmentKind::first : FragmentKind::later;
  packet.range = {ip.identification.host(),         offset,      l4_length(packet),
                  (word & kIpv4MoreFragments) != 0, ip.protocol, has_known_l4<Ipv4>(ip.protocol)};
  return is_sound(packet.range);
}

inline bool has_right_checksum(const uint8_t* ip, uint32_t header) {
  // Most headers have no options: a length that is known when this is compiled.
  const uint64_t sum = header == sizeof(Ipv4Header) ? checksum_sum(ip, sizeof(Ipv4Header))
                                                    : checksum_sum(ip, header);
  return fold(sum) == 0xffff;
}

inline void parse_ipv4(Packet& packet, const InterfaceView& ingress, const Snapshot& snapshot) {
  const uint32_t room = packet.length - kEthernetBytes;
  if (room < sizeof(Ipv4Header)) return packet.drop(DropReason::malformed_ipv4);
  const auto& ip = *ip_header<Ipv4>(packet.data);
  const uint32_t header = (ip.version_ihl & 0xf) * 4u;
  const uint32_t total = ip.total_length.host();
  if (ip.version_ihl >> 4 != 4 || header < sizeof(Ipv4Header) || total < header || total > room) {
    return packet.drop(DropReason::malformed_ipv4);
  }
  packet.version = 4;
  packet.length = kEthernetBytes + total;
  packet.l3_length = total;
  packet.l4_offset = static_cast<uint16_t>(kEthernetBytes + header);

  if (!has_right_checksum(packet.data + kEthernetBytes, header)) {
    return packet.drop(DropReason::bad_ipv4_checksum);
  }
  if (is_martian(ip.source) ||
      (ingress.scope != InterfaceScope::host && snapshot.v4.is_own_address(ip.source))) {
    return packet.drop(DropReason::martian_source);
  }
  if (!ingress.admits<Ipv4>(ip.source)) return packet.drop(DropReason::source_spoofed);
  if (is_martian(ip.destination)) return packet.drop(DropReason::martian_destination);
  if (!take_fragment(packet, ip)) return packet.drop(DropReason::malformed_fragment);
  parse_l4<Ipv4>(packet, &ip.source, ip.protocol);
}

}  // namespace sluice
