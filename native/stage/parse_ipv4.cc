// SPDX-License-Identifier: Apache-2.0
#include "stage/parse_ipv4.h"

#include "base/checksum.h"
#include "packet/ip.h"
#include "stage/parse_l4.h"

namespace sluice {
namespace {

// First octets that no unicast address has: 0/8, 127/8, and 224/3 (multicast, reserved, broadcast).
bool is_martian(be32 address) {
  const auto first = static_cast<uint8_t>(address.raw);
  return first == 0 || first == 127 || first >= 224;
}

// False: it is no sound fragment.
bool take_fragment(Packet& packet, const Ipv4Header& ip) {
  const uint16_t word = ip.flags_fragment.host();
  const uint32_t offset = (word & kIpv4OffsetMask) * 8u;
  const bool more = word & kIpv4MoreFragments;
  if (offset == 0 && !more) return true;
  packet.fragment = offset == 0 ? FragmentKind::first : FragmentKind::later;
  packet.range = {ip.identification.host(),       offset, l4_length(packet), more, ip.protocol,
                  has_known_l4<Ipv4>(ip.protocol)};
  return is_sound(packet.range);
}

}  // namespace

void parse_ipv4(Packet& packet, const InterfaceView& ingress, const Snapshot& snapshot) {
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

  if (full_checksum(packet.data + kEthernetBytes, header).raw != 0) {
    return packet.drop(DropReason::bad_ipv4_checksum);
  }
  const be32 source = ip.source, destination = ip.destination;
  if (is_martian(source) ||
      (ingress.scope != InterfaceScope::host && snapshot.v4.is_own_address(source))) {
    return packet.drop(DropReason::martian_source);
  }
  if (is_martian(destination)) return packet.drop(DropReason::martian_destination);
  if (!take_fragment(packet, ip)) return packet.drop(DropReason::malformed_fragment);
  packet.tuple4 = {source, destination, {}, {}, ip.protocol, {}};
  parse_l4<Ipv4>(packet);
}

}  // namespace sluice
