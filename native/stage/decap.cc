// SPDX-License-Identifier: Apache-2.0
#include "stage/decap.h"

#include <cstring>
#include <optional>

#include "packet/checksum_changes.h"
#include "packet/ip.h"
#include "stage/interface_sums.h"
#include "stage/parse.h"
#include "stage/parse_plain.h"

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

  const TunnelEnds& look_up(TunnelKind asked, const typename F::Address& from,
                            const typename F::Address& to, const TunnelTable& table) {
    if (kind != asked || !(source == from) || !(destination == to)) {
      kind = asked;
      source = from;
      destination = to;
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

// `at` and `end`: of the packet behind its IP header, from the start of the frame.
std::optional<Carried> read_gre(const uint8_t* frame, uint32_t at, uint32_t end) {
  const uint32_t room = end - at;
  if (room < sizeof(GreHeader)) return {};
  const auto* gre = header_at<GreHeader>(frame, at);
  const uint16_t flags = gre->flags.host();
  const uint16_t type = gre->type.host();
  if ((flags & ~(kGreChecksum | kGreKey | kGreSequence)) != 0) return {};
  if (type != kEtherTypeIpv4 && type != kEtherTypeIpv6) return {};
  uint32_t length = sizeof(GreHeader) + ((flags & kGreChecksum) != 0 ? kGreField : 0);
  const uint32_t key_at = at + length;
  if ((flags & kGreKey) != 0) length += kGreField;
  if ((flags & kGreSequence) != 0) length += kGreField;
  if (length > room) return {};
  if ((flags & kGreChecksum) != 0 && fold(checksum_sum(frame + at, room)) != 0xffff) return {};
  Carried carried{at + length, end, type, {(flags & kGreKey) != 0, 0}};
  if (carried.label.has_key) carried.label.key = header_at<be32>(frame, key_at)->host();
  return carried;
}

std::optional<Carried> read_vxlan(const uint8_t* frame, uint32_t at) {
  const uint32_t begin = at + uint32_t{sizeof(UdpHeader)};
  const uint32_t end = at + header_at<UdpHeader>(frame, at)->length.host();
  if (end - begin < sizeof(VxlanHeader)) return {};
  const auto* vxlan = header_at<VxlanHeader>(frame, begin);
  if (vxlan->flags != kVxlanHasVni) return {};
  return Carried{begin + uint32_t{sizeof(VxlanHeader)}, end, 0, {true, vxlan->vni.host() >> 8}};
}

std::optional<Carried> read_carried(const uint8_t* frame, uint32_t at, uint32_t end,
                                    TunnelKind kind, uint8_t protocol) {
  if (kind == TunnelKind::gre) return read_gre(frame, at, end);
  if (kind == TunnelKind::vxlan) return read_vxlan(frame, at);
  const uint16_t type = protocol == kProtocolIpv4 ? kEtherTypeIpv4 : kEtherTypeIpv6;
  return Carried{at, end, type, {}};
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
  const TunnelEnds& candidates =
      ends.look_up(*kind, tuple.source, tuple.destination, *snapshot.tunnels);
  const Address source = F::general(tuple.source);
  if (!candidates.expect(source, port)) return false;
  const auto carried =
      read_carried(packet.data, packet.l4_offset, packet.length, *kind, tuple.protocol);
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

// A header without options or extension headers, whole, with addresses that are no martian's for
// certain; the Ethernet header is there.
bool is_plain(const Ipv4Header& ip, uint32_t room, const Snapshot& snapshot) {
  const uint32_t total = ip.total_length.host();
  return ip.version_ihl == 0x45 && total <= room && total >= sizeof(ip) && !is_fragment(ip) &&
         !is_martian(ip.source) && !is_martian(ip.destination) &&
         !snapshot.v4.own_filter.may_hold(ip.source) &&
         has_right_checksum(reinterpret_cast<const uint8_t*>(&ip), sizeof(ip));
}
bool is_plain(const Ipv6Header& ip, uint32_t room, const Snapshot& snapshot) {
  return ip.version_class_label.host() >> 28 == 6 &&
         ip.payload_length.host() + sizeof(ip) <= room && is_ordinary(ip.source) &&
         is_ordinary(ip.destination) && !snapshot.v6.own_filter.may_hold(ip.source);
}

uint8_t protocol_of(const Ipv4Header& ip) { return ip.protocol; }
uint8_t protocol_of(const Ipv6Header& ip) { return ip.next_header; }
uint32_t length_of(const Ipv4Header& ip) { return ip.total_length.host(); }
uint32_t length_of(const Ipv6Header& ip) { return ip.payload_length.host() + uint32_t{sizeof(ip)}; }

// GRE and IPIP only: what VXLAN comes in is plain to parse, too.
template <class F>
bool take_out_plain(Packet& packet, Ends<F>& ends, const Snapshot& snapshot) {
  constexpr uint32_t kL4 = kEthernetBytes + sizeof(typename Wire<F>::Header);
  if (packet.length < kL4) return false;
  const auto& ip = *ip_header<F>(packet.data);
  const uint8_t protocol = protocol_of(ip);
  if (protocol != kProtocolGre && protocol != kProtocolIpv4 && protocol != kProtocolIpv6) {
    return false;
  }
  if (!is_plain(ip, packet.length - kEthernetBytes, snapshot)) return false;
  const TunnelKind kind = protocol == kProtocolGre ? TunnelKind::gre : TunnelKind::ipip;
  const TunnelEnds& candidates = ends.look_up(kind, ip.source, ip.destination, *snapshot.tunnels);
  if (candidates.remote.empty()) return false;
  const auto carried =
      read_carried(packet.data, kL4, kEthernetBytes + length_of(ip), kind, protocol);
  if (!carried) return false;
  const Tunnel* tunnel = candidates.find(F::general(ip.source), 0, carried->label);
  if (tunnel == nullptr) return false;
  const bool congested = is_congested(ip);
  cut(packet, *carried, *tunnel, snapshot.interfaces[tunnel->slot]);
  if (congested) mark_congestion(packet);
  return true;
}

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

void run_plain_decap(Burst& burst, Context& context) {
  const Snapshot& snapshot = *context.snapshot;
  AllEnds ends;
  InterfaceSums received(context.counters, InterfaceCounter::rx_packets,
                         InterfaceCounter::rx_bytes);
  for (uint32_t i = 0; i < burst.count; i++) {
    Packet& packet = burst.packets[i];
    if (packet.length < kEthernetBytes || packet.in_interface >= snapshot.interfaces.size()) {
      continue;
    }
    const InterfaceView& ingress = snapshot.interfaces[packet.in_interface];
    if (!ingress.present) continue;
    uint64_t first;
    std::memcpy(&first, packet.data, sizeof(first));
    if (first << 16 != ingress.mac_word()) continue;
    const be16 type = header_at<EthernetHeader>(packet.data, 0)->type;
    const bool taken = type == be16::from_host(kEtherTypeIpv4)
                           ? take_out_plain<Ipv4>(packet, ends.v4, snapshot)
                           : type == be16::from_host(kEtherTypeIpv6) &&
                                 take_out_plain<Ipv6>(packet, ends.v6, snapshot);
    if (taken) received.add(packet.in_interface, packet.length);
  }
}

void run_decap(Burst& burst, Context& context) {
  const Snapshot& snapshot = *context.snapshot;
  AllEnds ends;
  InterfaceSums received(context.counters, InterfaceCounter::rx_packets,
                         InterfaceCounter::rx_bytes);
  for (uint32_t i = 0; i < burst.count; i++) {
    Packet& packet = burst.packets[i];
    if (packet.fate != Fate::pending) continue;
    // Taken out already.
    if (snapshot.interfaces[packet.in_interface].tunnel != nullptr) continue;
    if (take_out(packet, ends, snapshot)) {
      received.add(packet.in_interface, packet.length);
      burst.forget_plain(i);
      const InterfaceView& view = snapshot.interfaces[packet.in_interface];
      parse_one(burst, i, &view, view.mac_word(), context);
    } else if (packet.fate == Fate::drop) {
      burst.forget_plain(i);
    }
  }
}

}  // namespace sluice
