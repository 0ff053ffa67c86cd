// SPDX-License-Identifier: Apache-2.0
// Theory of operation. A plain packet: to our MAC, IPv4 without options or IPv6 without extension
// headers, whole, TCP or UDP, with addresses that are no martian's for certain. Nearly all are. It
// is parsed here in a few loads and one pass, by the same rules as in parse; a packet that is not
// plain, for whatever reason, is left as it was, and parse says what it is. What this second
// reading of the rules is worth: ARCHITECTURE.md, "Speed".
#pragma once

#include <cstring>

#include "base/checksum.h"
#include "config/snapshot.h"
#include "packet/ip.h"
#include "packet/ipv6_address.h"
#include "stage/parse_ipv4.h"
#include "stage/parse_l4.h"

namespace sluice {

template <typename Word>
Word word_at(const uint8_t* bytes, uint32_t offset) {
  Word word;
  std::memcpy(&word, bytes + offset, sizeof(word));
  return word;
}

// TCP or UDP whose header is whole, in `room` bytes.
inline bool is_plain_l4(const uint8_t* l4, uint8_t protocol, uint32_t room, Packet& packet) {
  if (protocol == kProtocolUdp) {
    const uint32_t length = header_at<UdpHeader>(l4, 0)->length.host();
    packet.type = PacketClass::udp;
    packet.tcp_flags = 0;
    return length >= sizeof(UdpHeader) && length <= room;
  }
  if (protocol != kProtocolTcp || room < sizeof(TcpHeader)) return false;
  const auto* tcp = header_at<TcpHeader>(l4, 0);
  const uint32_t header = (tcp->data_offset >> 4) * 4u;
  packet.type = PacketClass::tcp;
  packet.tcp_flags = tcp->flags;
  return header >= sizeof(TcpHeader) && header <= room;
}

template <class F>
void set_plain(Packet& packet, uint32_t total, const typename F::Address* addresses,
               uint8_t protocol) {
  constexpr uint32_t kL4 = kEthernetBytes + sizeof(typename Wire<F>::Header);
  packet.length = kEthernetBytes + total;
  packet.l3_length = total;
  packet.flow = kNoFlow;
  packet.l4_offset = kL4;
  packet.fate = Fate::pending;
  packet.version = F::kVersion;
  packet.fragment = FragmentKind::none;
  packet.related = false;
  set_tuple<F>(packet, addresses, *header_at<PortsHeader>(packet.data, kL4), protocol);
}

inline bool parse_plain_ipv4(Packet& packet, const Snapshot& snapshot) {
  constexpr uint16_t kFragment = __builtin_bswap16(kIpv4OffsetMask | kIpv4MoreFragments);
  const auto& ip = *ip_header<Ipv4>(packet.data);
  const uint32_t total = ip.total_length.host();
  if (ip.version_ihl != 0x45 || total > packet.length - kEthernetBytes ||
      total < sizeof(Ipv4Header) + sizeof(UdpHeader) || (ip.flags_fragment.raw & kFragment) != 0 ||
      fold(checksum_sum(packet.data + kEthernetBytes, sizeof(Ipv4Header))) != 0xffff ||
      is_martian(ip.source) || is_martian(ip.destination) ||
      snapshot.v4.own_filter.may_hold(ip.source)) {
    return false;
  }
  const uint8_t protocol = ip.protocol;
  const uint8_t* l4 = packet.data + kEthernetBytes + sizeof(ip);
  if (!is_plain_l4(l4, protocol, total - uint32_t{sizeof(ip)}, packet)) return false;
  set_plain<Ipv4>(packet, total, &ip.source, protocol);
  return true;
}

// 2000::/3 and fc00::/7: addresses that are neither for one link nor of another special kind.
inline bool is_ordinary(const Address& address) {
  const uint8_t first = address.bytes[0];
  return first >> 5 == 1 || first >> 1 == 0x7e;
}

inline bool parse_plain_ipv6(Packet& packet, const Snapshot& snapshot) {
  const auto& ip = *ip_header<Ipv6>(packet.data);
  const uint32_t payload = ip.payload_length.host();
  if (packet.data[kEthernetBytes] >> 4 != 6 ||
      payload + sizeof(ip) > packet.length - kEthernetBytes || payload < sizeof(UdpHeader) ||
      !is_ordinary(ip.source) || !is_ordinary(ip.destination) ||
      snapshot.v6.own_filter.may_hold(ip.source)) {
    return false;
  }
  const uint8_t protocol = ip.next_header;
  const uint8_t* l4 = packet.data + kEthernetBytes + sizeof(ip);
  if (!is_plain_l4(l4, protocol, payload, packet)) return false;
  set_plain<Ipv6>(packet, payload + uint32_t{sizeof(ip)}, &ip.source, protocol);
  return true;
}

// `mac`: of the ingress, in the upper six bytes of a word.
inline bool parse_plain(Packet& packet, uint64_t mac, const Snapshot& snapshot) {
  if (packet.length < kEthernetBytes + sizeof(Ipv4Header) + sizeof(UdpHeader)) return false;
  if (word_at<uint64_t>(packet.data, 0) << 16 != mac) return false;
  const be16 type = header_at<EthernetHeader>(packet.data, 0)->type;
  if (type == be16::from_host(kEtherTypeIpv4)) return parse_plain_ipv4(packet, snapshot);
  return type == be16::from_host(kEtherTypeIpv6) &&
         packet.length >= kEthernetBytes + sizeof(Ipv6Header) + sizeof(UdpHeader) &&
         parse_plain_ipv6(packet, snapshot);
}

}  // namespace sluice
