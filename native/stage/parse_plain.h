// SPDX-License-Identifier: Apache-2.0
// Theory of operation. A plain packet: to our MAC, IPv4 without options or IPv6 without extension
// headers, whole, TCP or UDP, with addresses that are no martian's for certain. Nearly all are. It
// is parsed here in a few loads and one pass, by the same rules as in parse. Of a packet that is
// not plain, for whatever reason, nothing is said: parse begins anew with it. What this second
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

// TCP or UDP whose header is whole. `total`: bytes of the packet without the Ethernet header.
template <class F>
bool take_plain(Packet& packet, const typename F::Address* addresses, uint8_t protocol,
                uint32_t total) {
  constexpr uint32_t kHeader = sizeof(typename Wire<F>::Header);
  constexpr uint32_t kL4 = kEthernetBytes + kHeader;
  if (protocol != kProtocolUdp && protocol != kProtocolTcp) return false;
  const uint8_t* l4 = packet.data + kL4;
  packet.fragment = FragmentKind::none;
  packet.tcp_flags = 0;
  if (!take_l4_header<F>(packet, protocol, l4, total - kHeader)) return false;
  packet.type = class_of<F>(protocol, l4);
  packet.length = kEthernetBytes + total;
  packet.l3_length = total;
  packet.flow = kNoFlow;
  packet.l4_offset = kL4;
  packet.fate = Fate::pending;
  packet.version = F::kVersion;
  packet.related = false;
  set_tuple<F>(packet, addresses, ports_of<F>(packet.type, l4), protocol);
  return true;
}

inline bool parse_plain_ipv4(Packet& packet, const InterfaceView& ingress,
                             const Snapshot& snapshot) {
  const auto& ip = *ip_header<Ipv4>(packet.data);
  const uint32_t total = ip.total_length.host();
  if (ip.version_ihl != 0x45 || total > packet.length - kEthernetBytes ||
      total < sizeof(Ipv4Header) + sizeof(UdpHeader) || is_fragment(ip) ||
      !has_right_checksum(packet.data + kEthernetBytes, sizeof(Ipv4Header)) ||
      is_martian(ip.source) || is_martian(ip.destination) ||
      snapshot.v4.own_filter.may_hold(ip.source) || !ingress.admits<Ipv4>(ip.source)) {
    return false;
  }
  return take_plain<Ipv4>(packet, &ip.source, ip.protocol, total);
}

// 2000::/3 and fc00::/7: addresses that are neither for one link nor of another special kind.
inline bool is_ordinary(const Address& address) {
  const uint8_t first = address.bytes[0];
  return first >> 5 == 1 || first >> 1 == 0x7e;
}

inline bool parse_plain_ipv6(Packet& packet, const InterfaceView& ingress,
                             const Snapshot& snapshot) {
  const auto& ip = *ip_header<Ipv6>(packet.data);
  const uint32_t payload = ip.payload_length.host();
  if (packet.data[kEthernetBytes] >> 4 != 6 ||
      payload + sizeof(ip) > packet.length - kEthernetBytes || payload < sizeof(UdpHeader) ||
      !is_ordinary(ip.source) || !is_ordinary(ip.destination) ||
      snapshot.v6.own_filter.may_hold(ip.source) || !ingress.admits<Ipv6>(ip.source)) {
    return false;
  }
  return take_plain<Ipv6>(packet, &ip.source, ip.next_header, payload + uint32_t{sizeof(ip)});
}

// `mac`: of the ingress, in the upper six bytes of a word.
inline bool parse_plain(Packet& packet, const InterfaceView& ingress, uint64_t mac,
                        const Snapshot& snapshot) {
  if (packet.length < kEthernetBytes + sizeof(Ipv4Header) + sizeof(UdpHeader)) return false;
  uint64_t first;
  std::memcpy(&first, packet.data, sizeof(first));
  if (first << 16 != mac) return false;
  const be16 type = header_at<EthernetHeader>(packet.data, 0)->type;
  if (type == be16::from_host(kEtherTypeIpv4)) return parse_plain_ipv4(packet, ingress, snapshot);
  return type == be16::from_host(kEtherTypeIpv6) &&
         packet.length >= kEthernetBytes + sizeof(Ipv6Header) + sizeof(UdpHeader) &&
         parse_plain_ipv6(packet, ingress, snapshot);
}

}  // namespace sluice
