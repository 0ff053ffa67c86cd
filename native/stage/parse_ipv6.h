// SPDX-License-Identifier: Apache-2.0
// Theory of operation. The IPv6 header and its extension headers: lengths, martian addresses, which
// part of a datagram a fragment is, and what is neighbour discovery, which has rules of its own;
// then L4.
#pragma once

#include "config/snapshot.h"
#include "packet/burst.h"
#include "packet/extension_headers.h"
#include "packet/ip.h"
#include "packet/ipv6_address.h"
#include "stage/parse_l4.h"

namespace sluice {

// What no packet may have on either side.
inline bool is_never_valid(const Address& address) {
  return is_loopback(address) || is_multicast(address) || address.is_ipv4();
}

// What only neighbour discovery may have.
inline bool is_local(const Address& address) { return address.is_zero() || is_link_local(address); }

// Behind an extension header any protocol may come.
inline bool is_followed(uint8_t protocol) {
  return has_known_l4<Ipv6>(protocol) ||
         (is_extension_header(protocol) && protocol != kProtocolFragment);
}

// False: it is no sound fragment.
inline bool take_fragment(Packet& packet, const HeaderChain& chain) {
  if (chain.fragment == nullptr) return true;
  const uint32_t offset = chain.fragment_offset();
  const bool more = chain.more_fragments();
  if (offset == 0 && !more) return true;  // RFC 6946
  packet.fragment = offset == 0 ? FragmentKind::first : FragmentKind::later;
  packet.range = {
      chain.fragment->identification.host(),   offset, packet.length - chain.fragment_data, more, 0,
      is_followed(chain.fragment->next_header)};
  return is_sound(packet.range);
}

inline bool is_neighbour_discovery(const Packet& packet, const HeaderChain& chain) {
  if (chain.fragment != nullptr || chain.protocol != kProtocolIcmpv6 || l4_length(packet) == 0) {
    return false;
  }
  const uint8_t type = packet.data[packet.l4_offset];
  return type >= kRouterSolicitation && type <= kRedirect;
}

// `group`: it came in a multicast or broadcast frame.
inline void parse_ipv6(Packet& packet, const InterfaceView& ingress, const Snapshot& snapshot,
                       bool group) {
  const uint32_t room = packet.length - kEthernetBytes;
  if (room < sizeof(Ipv6Header)) return packet.drop(DropReason::malformed_ipv6);
  const auto& ip = *ip_header<Ipv6>(packet.data);
  const uint32_t total = sizeof(Ipv6Header) + ip.payload_length.host();
  if (packet.data[kEthernetBytes] >> 4 != 6 || total > room) {
    return packet.drop(DropReason::malformed_ipv6);
  }
  packet.version = 6;
  packet.length = kEthernetBytes + total;
  packet.l3_length = total;

  const HeaderChain chain = walk_extension_headers(
      packet.data, ip.next_header, kEthernetBytes + sizeof(Ipv6Header), packet.length);
  if (chain.refused) return packet.drop(*chain.refused);
  packet.l4_offset = static_cast<uint16_t>(chain.end);
  if (!take_fragment(packet, chain)) return packet.drop(DropReason::malformed_fragment);

  const bool nd = is_neighbour_discovery(packet, chain);
  if (group && !nd) return packet.drop(DropReason::l2_broadcast);
  const Address& source = ip.source;
  const Address& destination = ip.destination;
  if (is_never_valid(source) ||
      (ingress.scope != InterfaceScope::host && snapshot.v6.is_own_address(source)) ||
      (!nd && is_local(source))) {
    return packet.drop(DropReason::martian_source);
  }
  if (!(nd && is_local(source)) && !ingress.admits<Ipv6>(source)) {
    return packet.drop(DropReason::source_spoofed);
  }
  if (!nd && (is_never_valid(destination) || is_local(destination))) {
    return packet.drop(DropReason::martian_destination);
  }
  if (nd) packet.type = PacketClass::nd;
  parse_l4<Ipv6>(packet, &source, chain.protocol);
}

}  // namespace sluice
