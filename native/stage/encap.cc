// SPDX-License-Identifier: Apache-2.0
#include "stage/encap.h"

#include <cstring>

#include "base/mix.h"
#include "packet/ip.h"
#include "stage/own_frames.h"
#include "stage/tx.h"

namespace sluice {
namespace {

constexpr uint16_t kFirstSourcePort = 49152;  // RFC 7348, 5
constexpr uint32_t kSourcePorts = 16384;

// Type of service, or traffic class; of what is not IP: 0.
uint8_t traffic_class_of(const uint8_t* frame, be16 type) {
  if (type == be16::from_host(kEtherTypeIpv4)) return ip_header<Ipv4>(frame)->dscp_ecn;
  if (type != be16::from_host(kEtherTypeIpv6)) return 0;
  return static_cast<uint8_t>(ip_header<Ipv6>(frame)->version_class_label.host() >> 20);
}

template <typename Header>
Header& put_before(uint8_t*& at) {
  at -= sizeof(Header);
  return *header_at<Header>(at, 0);
}

void put_gre(uint8_t*& at, const Tunnel& tunnel, be16 type, uint32_t entropy) {
  const bool keyed = tunnel.key_mode != TunnelKey::none;
  if (keyed) {
    const bool by_flow = tunnel.key_mode == TunnelKey::flow;
    put_before<be32>(at) = be32::from_host(by_flow ? entropy : tunnel.key);
  }
  put_before<GreHeader>(at) = {be16::from_host(keyed ? kGreKey : 0), type};
}

// `length`: of the frame inside.
void put_vxlan(uint8_t*& at, const Tunnel& tunnel, uint32_t length, uint32_t entropy) {
  put_before<VxlanHeader>(at) = {kVxlanHasVni, {}, be32::from_host(tunnel.vni << 8)};
  const uint32_t total = length + sizeof(VxlanHeader) + sizeof(UdpHeader);
  put_before<UdpHeader>(at) = {
      be16::from_host(static_cast<uint16_t>(kFirstSourcePort + entropy % kSourcePorts)),
      be16::from_host(tunnel.port),
      be16::from_host(static_cast<uint16_t>(total)),
      {}};
}

void put_ipv4(uint8_t*& at, const Tunnel& tunnel, uint8_t protocol, uint8_t traffic_class,
              uint32_t payload) {
  auto& ip = put_before<Ipv4Header>(at);
  ip = {.version_ihl = 0x45,
        .dscp_ecn = traffic_class,
        .total_length = be16::from_host(static_cast<uint16_t>(sizeof(ip) + payload)),
        .identification = {},
        .flags_fragment = be16::from_host(kIpv4DontFragment),
        .ttl = tunnel.ttl,
        .protocol = protocol,
        .checksum = {},
        .source = Ipv4::from(tunnel.local),
        .destination = Ipv4::from(tunnel.remote)};
  ip.checksum = full_checksum(at, sizeof(ip));
}

void put_ipv6(uint8_t*& at, const Tunnel& tunnel, uint8_t protocol, uint8_t traffic_class,
              uint32_t payload) {
  put_before<Ipv6Header>(at) = {
      .version_class_label = be32::from_host(kIpv6Version | uint32_t{traffic_class} << 20),
      .payload_length = be16::from_host(static_cast<uint16_t>(payload)),
      .next_header = protocol,
      .hop_limit = tunnel.ttl,
      .source = tunnel.local,
      .destination = tunnel.remote};
}

uint8_t protocol_of(const Tunnel& tunnel, be16 type) {
  if (tunnel.kind == TunnelKind::gre) return kProtocolGre;
  if (tunnel.kind == TunnelKind::vxlan) return kProtocolUdp;
  return type == be16::from_host(kEtherTypeIpv4) ? kProtocolIpv4 : kProtocolIpv6;
}

bool give_up(const Frame& frame, DropReason reason, Context& context) {
  drop_frame(context, frame, reason);
  return false;
}

// True: it is to be sent.
bool send_by(const Tunnel& tunnel, Frame& frame, Context& context) {
  if (!tunnel.has_remote()) return give_up(frame, DropReason::tunnel_no_remote, context);
  if (!context.outside->make_room(frame, room_for(tunnel))) {
    return give_up(frame, DropReason::tx_full, context);
  }
  context.counters.add(tunnel.slot, InterfaceCounter::tx_packets, 1);
  context.counters.add(tunnel.slot, InterfaceCounter::tx_bytes, frame.length);
  write_outer(frame, tunnel);
  const Adjacency* way = context.underlays.towards(tunnel, mix(frame.hash), context);
  if (way != nullptr && frame.length - kEthernetBytes <= way->mtu) {
    std::memcpy(frame.data, way->addresses, sizeof(way->addresses));
    frame.interface = way->interface;
    return true;
  }
  const OwnWay slow = find_own_way(frame, OwnFrame::carrier, context);
  if (slow.verdict == OwnWay::Verdict::refused) return give_up(frame, slow.reason, context);
  return slow.verdict == OwnWay::Verdict::send;
}

}  // namespace

uint32_t room_for(const Tunnel& tunnel) {
  const uint32_t ip = tunnel.local.is_ipv4() ? sizeof(Ipv4Header) : sizeof(Ipv6Header);
  switch (tunnel.kind) {
    case TunnelKind::ipip:
      return ip;
    case TunnelKind::gre:
      return ip + uint32_t{sizeof(GreHeader)} +
             (tunnel.key_mode == TunnelKey::none ? 0 : kGreField);
    case TunnelKind::vxlan:
      break;
  }
  return kEthernetBytes + ip + uint32_t{sizeof(UdpHeader) + sizeof(VxlanHeader)};
}

void write_outer(Frame& frame, const Tunnel& tunnel) {
  const be16 type = header_at<EthernetHeader>(frame.data, 0)->type;
  const uint8_t traffic_class = traffic_class_of(frame.data, type);
  const uint32_t entropy = mix(frame.hash);
  uint8_t* const end = frame.data + frame.length;
  uint8_t* at = frame.data + (tunnel.is_layer3() ? kEthernetBytes : 0);
  if (tunnel.kind == TunnelKind::gre) put_gre(at, tunnel, type, entropy);
  if (tunnel.kind == TunnelKind::vxlan) put_vxlan(at, tunnel, frame.length, entropy);
  const uint8_t protocol = protocol_of(tunnel, type);
  const auto payload = static_cast<uint32_t>(end - at);
  const bool v4 = tunnel.local.is_ipv4();
  if (v4) {
    put_ipv4(at, tunnel, protocol, traffic_class, payload);
  } else {
    put_ipv6(at, tunnel, protocol, traffic_class, payload);
  }
  put_before<EthernetHeader>(at).type = be16::from_host(v4 ? kEtherTypeIpv4 : kEtherTypeIpv6);
  frame.data = at;
  frame.length = static_cast<uint32_t>(end - at);
}

uint32_t encapsulate(Frame* frames, uint32_t count, Context& context) {
  const auto& interfaces = context.snapshot->interfaces;
  uint32_t kept = 0;
  for (uint32_t i = 0; i < count; i++) {
    const Tunnel* tunnel = interfaces[frames[i].interface].tunnel.get();
    if (tunnel == nullptr || send_by(*tunnel, frames[i], context)) frames[kept++] = frames[i];
  }
  return kept;
}

}  // namespace sluice
