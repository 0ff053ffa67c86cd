// SPDX-License-Identifier: Apache-2.0
#include "stage/parse.h"

#include <cstring>

#include "packet/ip.h"
#include "stage/checksums.h"
#include "stage/parse_ipv4.h"
#include "stage/parse_ipv6.h"

namespace sluice {
namespace {

void parse_ip(Packet& packet, const InterfaceView& ingress, const Snapshot& snapshot, bool group) {
  if (header_at<EthernetHeader>(packet.data, 0)->type.host() == kEtherTypeIpv4) {
    if (group) return packet.drop(DropReason::l2_broadcast);
    parse_ipv4(packet, ingress, snapshot);
    if (ingress.unfinished_checksums) finish_checksums<Ipv4>(packet);
  } else {
    parse_ipv6(packet, ingress, snapshot, group);
    if (ingress.unfinished_checksums) finish_checksums<Ipv6>(packet);
  }
}

void parse_ethernet(Packet& packet, const InterfaceView& ingress, const Snapshot& snapshot) {
  if (packet.length < kEthernetBytes) return packet.drop(DropReason::malformed_ethernet);
  const auto* ethernet = header_at<EthernetHeader>(packet.data, 0);
  const bool group = ethernet->destination[0] & 1;
  const bool ours = std::memcmp(ethernet->destination, ingress.mac, 6) == 0;
  const uint16_t type = ethernet->type.host();
  if (type != kEtherTypeArp && type != kEtherTypeIpv4 && type != kEtherTypeIpv6) {
    return packet.drop(DropReason::unsupported_ethertype);
  }
  if (!group && !ours) return packet.drop(DropReason::mac_not_ours);
  if (type == kEtherTypeArp) {
    packet.type = PacketClass::arp;
    return;
  }
  parse_ip(packet, ingress, snapshot, group);
}

}  // namespace

void parse_packet(Packet& packet, const Snapshot& snapshot) {
  packet.out_interface = kNoInterface;
  packet.fate = Fate::pending;
  packet.type = PacketClass::other;
  packet.version = 0;
  packet.fragment = FragmentKind::none;
  packet.tcp_flags = 0;
  packet.related = false;
  packet.hash = 0;
  packet.flow = kNoFlow;
  packet.frontend = nullptr;
  const uint16_t interface = packet.in_interface;
  if (interface >= snapshot.interfaces.size() || !snapshot.interfaces[interface].present) {
    return packet.drop(DropReason::interface_removed);
  }
  parse_ethernet(packet, snapshot.interfaces[interface], snapshot);
}

void hash_packet(Packet& packet) {
  if (packet.fate != Fate::pending || !has_flow(packet.type)) return;
  packet.hash = packet.version == 4 ? flow_hash(packet.tuple4) : flow_hash(packet.tuple6);
}

void run_parse(Burst& burst, Context& context) {
  for (uint32_t i = 0; i < burst.count; i++) __builtin_prefetch(burst.packets[i].data);
  for (uint32_t i = 0; i < burst.count; i++) parse_packet(burst.packets[i], *context.snapshot);
  for (uint32_t i = 0; i < burst.count; i++) hash_packet(burst.packets[i]);
}

}  // namespace sluice
