// SPDX-License-Identifier: Apache-2.0
#include "stage/parse.h"

#include <cstring>

#include "base/checksum.h"
#include "packet/headers.h"

namespace sluice {
namespace {

// First octets that no unicast address has: 0/8, 127/8, and 224/3 (multicast, reserved, broadcast).
bool is_martian(be32 address) {
  const auto first = static_cast<uint8_t>(address.raw);
  return first == 0 || first == 127 || first >= 224;
}

void take_tuple(Packet& packet, const Ipv4Header& ip, be16 source_port, be16 destination_port) {
  packet.tuple = {ip.source, ip.destination, source_port, destination_port, ip.protocol, {}};
  packet.hash = flow_hash(packet.tuple);
}

// `room`: bytes of the IP packet behind its header.
void parse_l4(Packet& packet, const Ipv4Header& ip, uint32_t room) {
  if (ip.protocol == kProtocolTcp) {
    if (room < sizeof(TcpHeader)) return packet.drop(DropReason::malformed_l4);
    const auto* tcp = header_at<TcpHeader>(packet.data, packet.l4_offset);
    const uint32_t header = (tcp->data_offset >> 4) * 4u;
    if (header < sizeof(TcpHeader) || header > room) return packet.drop(DropReason::malformed_l4);
    packet.type = PacketClass::tcp;
    packet.tcp_flags = tcp->flags;
    take_tuple(packet, ip, tcp->source_port, tcp->destination_port);
  } else if (ip.protocol == kProtocolUdp) {
    if (room < sizeof(UdpHeader)) return packet.drop(DropReason::malformed_l4);
    const auto* udp = header_at<UdpHeader>(packet.data, packet.l4_offset);
    const uint32_t length = udp->length.host();
    if (length < sizeof(UdpHeader) || length > room) return packet.drop(DropReason::malformed_l4);
    packet.type = PacketClass::udp;
    take_tuple(packet, ip, udp->source_port, udp->destination_port);
  } else {
    if (ip.protocol == kProtocolIcmp) {
      if (room < sizeof(IcmpHeader)) return packet.drop(DropReason::malformed_l4);
      packet.type = PacketClass::icmp;
    }
    take_tuple(packet, ip, {}, {});
  }
}

void parse_ipv4(Packet& packet, const Snapshot& snapshot) {
  const uint32_t room = packet.length - kEthernetBytes;
  if (room < sizeof(Ipv4Header)) return packet.drop(DropReason::malformed_ipv4);
  const auto& ip = *header_at<Ipv4Header>(packet.data, kEthernetBytes);
  const uint32_t header = (ip.version_ihl & 0xf) * 4u;
  const uint32_t total = ip.total_length.host();
  if (ip.version_ihl >> 4 != 4 || header < sizeof(Ipv4Header) || total < header || total > room) {
    return packet.drop(DropReason::malformed_ipv4);
  }
  packet.length = kEthernetBytes + total;
  packet.l3_length = static_cast<uint16_t>(total);
  packet.l4_offset = static_cast<uint16_t>(kEthernetBytes + header);

  if (full_checksum(packet.data + kEthernetBytes, header).raw != 0) {
    return packet.drop(DropReason::bad_ipv4_checksum);
  }
  const be32 source = ip.source, destination = ip.destination;
  if (is_martian(source) || snapshot.is_own_address(source)) {
    return packet.drop(DropReason::martian_source);
  }
  if (is_martian(destination)) return packet.drop(DropReason::martian_destination);
  if (ip.flags_fragment.host() & kIpv4FragmentMask) return packet.drop(DropReason::fragment);
  parse_l4(packet, ip, total - header);
}

void parse_one(Packet& packet, const Snapshot& snapshot) {
  const uint16_t interface = packet.in_interface;
  if (interface >= snapshot.interfaces.size() || !snapshot.interfaces[interface].present) {
    return packet.drop(DropReason::interface_removed);
  }
  if (packet.length < kEthernetBytes) return packet.drop(DropReason::malformed_ethernet);
  const auto* ethernet = header_at<EthernetHeader>(packet.data, 0);
  const bool group = ethernet->destination[0] & 1;
  const bool ours = std::memcmp(ethernet->destination, snapshot.interfaces[interface].mac, 6) == 0;
  const uint16_t type = ethernet->type.host();
  if (type == kEtherTypeArp) {
    if (!ours && !group) return packet.drop(DropReason::mac_not_ours);
    packet.type = PacketClass::arp;
    return;
  }
  if (type != kEtherTypeIpv4) return packet.drop(DropReason::unsupported_ethertype);
  if (group) return packet.drop(DropReason::l2_broadcast);
  if (!ours) return packet.drop(DropReason::mac_not_ours);
  parse_ipv4(packet, snapshot);
}

}  // namespace

void run_parse(Burst& burst, Context& context) {
  for (uint32_t i = 0; i < burst.count; i++) __builtin_prefetch(burst.packets[i].data);
  for (uint32_t i = 0; i < burst.count; i++) {
    Packet& packet = burst.packets[i];
    packet.out_interface = kNoInterface;
    packet.fate = Fate::pending;
    packet.type = PacketClass::other;
    packet.tcp_flags = 0;
    packet.flow = kNoFlow;
    packet.pool = kNoPool;
    parse_one(packet, *context.snapshot);
  }
}

}  // namespace sluice
