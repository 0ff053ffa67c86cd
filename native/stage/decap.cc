// SPDX-License-Identifier: Apache-2.0
#include "stage/decap.h"

#include <cstring>
#include <optional>

#include "packet/checksum_changes.h"
#include "packet/ip.h"
#include "stage/parse.h"

namespace sluice {
namespace {

// What the carrying headers say.
struct Carried {
  uint32_t begin;  // of what is inside, from the start of the frame
  uint32_t end;    // of the same
  uint16_t type;   // EtherType of a packet that has no Ethernet header; else 0
  TunnelLabel label;
};

// What a burst's packets ask for is mostly what the packet before has asked for.
template <class F>
struct Ends {
  std::optional<TunnelKind> kind;
  typename F::Address source, destination;
  TunnelEnds found;

  const TunnelEnds& look_up(TunnelKind asked, const FiveTuple<F>& tuple, const TunnelTable& table) {
    if (kind != asked || source != tuple.source || destination != tuple.destination) {
      kind = asked;
      source = tuple.source;
      destination = tuple.destination;
      found = table.ends(asked, F::general(destination), F::general(source));
    }
    return found;
  }
};

std::optional<TunnelKind> kind_of(const Packet& packet, uint8_t protocol, uint16_t port,
                                  const TunnelTable& table) {
  if (packet.fragment != FragmentKind::none) return {};
  if (packet.type == PacketClass::udp && table.has_port(port)) return TunnelKind::vxlan;
  if (packet.type != PacketClass::other) return {};
  if (protocol == kProtocolGre) return TunnelKind::gre;
  if (protocol == kProtocolIpv4 || protocol == kProtocolIpv6) return TunnelKind::ipip;
  return {};
}

std::optional<Carried> read_gre(const Packet& packet) {
  const uint32_t room = l4_length(packet);
  if (room < sizeof(GreHeader)) return {};
  const auto* gre = header_at<GreHeader>(packet.data, packet.l4_offset);
  const uint16_t flags = gre->flags.host();
  const uint16_t type = gre->type.host();
  if ((flags & ~(kGreChecksum | kGreKey | kGreSequence)) != 0) return {};
  if (type != kEtherTypeIpv4 && type != kEtherTypeIpv6) return {};
  uint32_t at = sizeof(GreHeader) + ((flags & kGreChecksum) != 0 ? kGreField : 0);
  const uint32_t key_at = at;
  if ((flags & kGreKey) != 0) at += kGreField;
  if ((flags & kGreSequence) != 0) at += kGreField;
  if (at > room) return {};
  const auto* l4 = packet.data + packet.l4_offset;
  if ((flags & kGreChecksum) != 0 && fold(checksum_sum(l4, room)) != 0xffff) return {};
  Carried carried{packet.l4_offset + at, packet.length, type, {(flags & kGreKey) != 0, 0}};
  if (carried.label.has_key) carried.label.key = header_at<be32>(l4, key_at)->host();
  return carried;
}

std::optional<Carried> read_vxlan(const Packet& packet) {
  const uint32_t begin = packet.l4_offset + uint32_t{sizeof(UdpHeader)};
  const uint32_t end =
      packet.l4_offset + header_at<UdpHeader>(packet.data, packet.l4_offset)->length.host();
  if (end - begin < sizeof(VxlanHeader)) return {};
  const auto* vxlan = header_at<VxlanHeader>(packet.data, begin);
  if (vxlan->flags != kVxlanHasVni) return {};
  return Carried{begin + uint32_t{sizeof(VxlanHeader)}, end, 0, {true, vxlan->vni.host() >> 8}};
}

std::optional<Carried> read_carried(const Packet& packet, TunnelKind kind, uint8_t protocol) {
  if (kind == TunnelKind::gre) return read_gre(packet);
  if (kind == TunnelKind::vxlan) return read_vxlan(packet);
  const uint16_t type = protocol == kProtocolIpv4 ? kEtherTypeIpv4 : kEtherTypeIpv6;
  return Carried{packet.l4_offset, packet.length, type, {}};
}

constexpr uint8_t kEcnMask = 3, kNotCapable = 0, kCongested = 3;

bool is_congested(const Ipv4Header& ip) { return (ip.dscp_ecn & kEcnMask) == kCongested; }
bool is_congested(const Ipv6Header& ip) {
  return (ip.version_class_label.host() >> 20 & kEcnMask) == kCongested;
}

// RFC 6040, 4.2: what a router on the way has said about the carrying packet goes on inside.
void mark_congestion(Packet& packet) {
  if (packet.length < kEthernetBytes) return;
  const uint16_t type = header_at<EthernetHeader>(packet.data, 0)->type.host();
  const uint32_t room = packet.length - kEthernetBytes;
  if (type == kEtherTypeIpv4 && room >= sizeof(Ipv4Header)) {
    auto& ip = *ip_header<Ipv4>(packet.data);
    if ((ip.dscp_ecn & kEcnMask) == kNotCapable) return;
    const auto word = [&] {
      return be16::from_host(static_cast<uint16_t>(ip.version_ihl << 8 | ip.dscp_ecn));
    };
    const be16 before = word();
    ip.dscp_ecn |= kCongested;
    update_header_checksum(ip, change(before, word()));
  } else if (type == kEtherTypeIpv6 && room >= sizeof(Ipv6Header)) {
    auto& first = ip_header<Ipv6>(packet.data)->version_class_label;
    if ((first.host() >> 20 & kEcnMask) == kNotCapable) return;
    first = be32::from_host(first.host() | uint32_t{kCongested} << 20);
  }
}

// `carried` lies within the frame; its Ethernet header, where it needs one, within what is cut off.
void cut(Packet& packet, const Carried& carried, const Tunnel& tunnel, const InterfaceView& view) {
  const uint32_t begin = carried.begin - (tunnel.is_layer3() ? kEthernetBytes : 0);
  packet.data += begin;
  packet.length = carried.end - begin;
  packet.in_interface = tunnel.slot;
  if (!tunnel.is_layer3()) return;
  auto* ethernet = header_at<EthernetHeader>(packet.data, 0);
  std::memcpy(ethernet->destination, view.mac, sizeof(view.mac));
  std::memcpy(ethernet->source, kNoStation, sizeof(kNoStation));
  ethernet->type = be16::from_host(carried.type);
}

template <class F>
bool take_out(Packet& packet, Ends<F>& ends, const Snapshot& snapshot) {
  const FiveTuple<F>& tuple = packet.tuple<F>();
  const uint16_t port = packet.type == PacketClass::udp ? tuple.destination_port.host() : 0;
  const auto kind = kind_of(packet, tuple.protocol, port, *snapshot.tunnels);
  if (!kind) return false;
  if (F::kVersion == 6 && packet.l4_offset != kEthernetBytes + sizeof(Ipv6Header)) return false;
  const TunnelEnds& candidates = ends.look_up(*kind, tuple, *snapshot.tunnels);
  const Address source = F::general(tuple.source);
  if (!candidates.expect(source, port)) return false;
  const auto carried = read_carried(packet, *kind, tuple.protocol);
  if (!carried) {
    packet.drop(DropReason::malformed_tunnel);
    return false;
  }
  const Tunnel* tunnel = candidates.find(source, port, carried->label);
  if (tunnel == nullptr) return false;
  const bool congested = is_congested(*ip_header<F>(packet.data));
  cut(packet, *carried, *tunnel, snapshot.interfaces[tunnel->slot]);
  if (congested) mark_congestion(packet);
  return true;
}

struct AllEnds {
  Ends<Ipv4> v4{};
  Ends<Ipv6> v6{};
};

bool take_out(Packet& packet, AllEnds& ends, const Snapshot& snapshot) {
  if (packet.fate != Fate::pending) return false;
  if (packet.version == 4) return take_out<Ipv4>(packet, ends.v4, snapshot);
  return packet.version == 6 && take_out<Ipv6>(packet, ends.v6, snapshot);
}

}  // namespace

bool decapsulate(Packet& packet, const Snapshot& snapshot) {
  AllEnds ends;
  return take_out(packet, ends, snapshot);
}

void run_decap(Burst& burst, Context& context) {
  const Snapshot& snapshot = *context.snapshot;
  AllEnds ends;
  for (uint32_t i = 0; i < burst.count; i++) {
    Packet& packet = burst.packets[i];
    if (take_out(packet, ends, snapshot)) {
      context.counters.add(packet.in_interface, InterfaceCounter::rx_packets, 1);
      context.counters.add(packet.in_interface, InterfaceCounter::rx_bytes, packet.length);
      burst.forget_plain(i);
      const InterfaceView& view = snapshot.interfaces[packet.in_interface];
      parse_one(burst, i, &view, view.mac_word(), context);
    } else if (packet.fate == Fate::drop) {
      burst.forget_plain(i);
    }
  }
}

}  // namespace sluice
