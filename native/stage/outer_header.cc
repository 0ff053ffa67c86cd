// SPDX-License-Identifier: Apache-2.0
#include "stage/outer_header.h"

#include <cstring>

#include "packet/ip.h"

namespace sluice {
namespace {

constexpr uint16_t kFirstSourcePort = 49152;  // RFC 7348, 5
constexpr uint32_t kSourcePorts = 16384;
constexpr uint32_t kShort = 48;  // Ethernet, IPv4 and GRE with a key are not longer

// Type of service, or traffic class; of what is not IP: 0.
uint8_t traffic_class_of(const uint8_t* frame, be16 type) {
  if (type == be16::from_host(kEtherTypeIpv4)) return ip_header<Ipv4>(frame)->dscp_ecn;
  if (type != be16::from_host(kEtherTypeIpv6)) return 0;
  return static_cast<uint8_t>(ip_header<Ipv6>(frame)->version_class_label.host() >> 20);
}

uint8_t protocol_of(const Tunnel& tunnel, be16 type) {
  if (tunnel.kind == TunnelKind::gre) return kProtocolGre;
  if (tunnel.kind == TunnelKind::vxlan) return kProtocolUdp;
  return type == be16::from_host(kEtherTypeIpv4) ? kProtocolIpv4 : kProtocolIpv6;
}

template <typename Header>
Header& put_before(uint8_t*& at) {
  at -= sizeof(Header);
  return *header_at<Header>(at, 0);
}

void put_own(uint8_t*& at, const Tunnel& tunnel) {
  if (tunnel.kind == TunnelKind::gre) {
    const bool keyed = tunnel.key_mode != TunnelKey::none;
    if (keyed) put_before<be32>(at) = be32::from_host(tunnel.key);
    put_before<GreHeader>(at) = {be16::from_host(keyed ? kGreKey : 0), {}};
  } else if (tunnel.kind == TunnelKind::vxlan) {
    put_before<VxlanHeader>(at) = {kVxlanHasVni, {}, be32::from_host(tunnel.vni << 8)};
    put_before<UdpHeader>(at) = {{}, be16::from_host(tunnel.port), {}, {}};
  }
}

uint64_t put_ip(uint8_t*& at, const Tunnel& tunnel) {
  if (!tunnel.local.is_ipv4()) {
    put_before<Ipv6Header>(at) = {.version_class_label = be32::from_host(kIpv6Version),
                                  .payload_length = {},
                                  .next_header = 0,
                                  .hop_limit = tunnel.ttl,
                                  .source = tunnel.local,
                                  .destination = tunnel.remote};
    return 0;
  }
  auto& ip = put_before<Ipv4Header>(at);
  ip = {.version_ihl = 0x45,
        .dscp_ecn = 0,
        .total_length = {},
        .identification = {},
        .flags_fragment = be16::from_host(kIpv4DontFragment),
        .ttl = tunnel.ttl,
        .protocol = 0,
        .checksum = {},
        .source = Ipv4::from(tunnel.local),
        .destination = Ipv4::from(tunnel.remote)};
  return checksum_sum(at, sizeof(ip));
}

// Of the words as they lie: the second byte of its word is the upper one of a little-endian number.
uint64_t as_second_byte(uint8_t byte) { return be16::from_host(byte).raw; }

void finish_ip(Ipv4Header& ip, uint64_t sum, uint8_t protocol, uint8_t traffic_class,
               uint32_t payload) {
  const be16 total = be16::from_host(static_cast<uint16_t>(sizeof(ip) + payload));
  ip.dscp_ecn = traffic_class;
  ip.total_length = total;
  ip.protocol = protocol;
  sum += as_second_byte(traffic_class) + total.raw + as_second_byte(protocol);
  ip.checksum = {static_cast<uint16_t>(~fold(sum))};
}
void finish_ip(Ipv6Header& ip, uint64_t, uint8_t protocol, uint8_t traffic_class,
               uint32_t payload) {
  ip.version_class_label = be32::from_host(kIpv6Version | uint32_t{traffic_class} << 20);
  ip.payload_length = be16::from_host(static_cast<uint16_t>(payload));
  ip.next_header = protocol;
}

// `l4`: where the tunnel's own header begins; what is inside begins at `inside`.
void finish_own(uint8_t* l4, uint8_t* inside, const Tunnel& tunnel, be16 type, uint32_t entropy,
                uint32_t payload) {
  if (tunnel.kind == TunnelKind::gre) {
    header_at<GreHeader>(l4, 0)->type = type;
    if (tunnel.key_mode == TunnelKey::flow) {
      *header_at<be32>(inside - kGreField, 0) = be32::from_host(entropy);
    }
  } else if (tunnel.kind == TunnelKind::vxlan) {
    auto* udp = header_at<UdpHeader>(l4, 0);
    udp->source_port =
        be16::from_host(static_cast<uint16_t>(kFirstSourcePort + entropy % kSourcePorts));
    udp->length = be16::from_host(static_cast<uint16_t>(payload));
  }
}

}  // namespace

OuterHeader make_outer_header(const Tunnel& tunnel) {
  OuterHeader outer{};
  uint8_t* at = outer.bytes + kOuterRoom;
  put_own(at, tunnel);
  outer.sum = put_ip(at, tunnel);
  put_before<EthernetHeader>(at).type =
      be16::from_host(tunnel.local.is_ipv4() ? kEtherTypeIpv4 : kEtherTypeIpv6);
  outer.length = static_cast<uint32_t>(outer.bytes + kOuterRoom - at);
  return outer;
}

void write_outer(Frame& frame, const Tunnel& tunnel, const OuterHeader& outer, uint32_t entropy) {
  const be16 type = header_at<EthernetHeader>(frame.data, 0)->type;
  const uint8_t traffic_class = traffic_class_of(frame.data, type);
  const uint32_t cut = tunnel.is_layer3() ? kEthernetBytes : 0;
  uint8_t* const inside = frame.data + cut;
  if (outer.length <= kShort) {
    std::memcpy(inside - kShort, outer.bytes + kOuterRoom - kShort, kShort);
  } else {
    std::memcpy(inside - kOuterRoom, outer.bytes, kOuterRoom);
  }
  frame.data = inside - outer.length;
  frame.length += outer.length - cut;
  const uint8_t protocol = protocol_of(tunnel, type);
  const uint32_t l3_length = frame.length - kEthernetBytes;
  uint32_t ip_bytes = sizeof(Ipv4Header);
  if (header_at<EthernetHeader>(outer.bytes, kOuterRoom - outer.length)->type ==
      be16::from_host(kEtherTypeIpv4)) {
    finish_ip(*ip_header<Ipv4>(frame.data), outer.sum, protocol, traffic_class,
              l3_length - ip_bytes);
  } else {
    ip_bytes = sizeof(Ipv6Header);
    finish_ip(*ip_header<Ipv6>(frame.data), 0, protocol, traffic_class, l3_length - ip_bytes);
  }
  finish_own(frame.data + kEthernetBytes + ip_bytes, inside, tunnel, type, entropy,
             l3_length - ip_bytes);
}

}  // namespace sluice
