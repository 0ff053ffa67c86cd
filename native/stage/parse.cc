// SPDX-License-Identifier: Apache-2.0
#include "stage/parse.h"

#include <cstring>

#include "packet/ip.h"
#include "stage/checksums.h"
#include "stage/parse_ipv4.h"
#include "stage/parse_ipv6.h"
#include "stage/parse_plain.h"

namespace sluice {
namespace {

// Null: there is none any more.
const InterfaceView* ingress_of(const Packet& packet, const Snapshot& snapshot) {
  const uint16_t interface = packet.in_interface;
  if (interface >= snapshot.interfaces.size()) return nullptr;
  const InterfaceView& view = snapshot.interfaces[interface];
  return view.present ? &view : nullptr;
}

void finish(Packet& packet) {
  if (packet.version == 4) finish_checksums<Ipv4>(packet);
  if (packet.version == 6) finish_checksums<Ipv6>(packet);
}

void parse_ip(Packet& packet, const InterfaceView& ingress, const Snapshot& snapshot, bool group) {
  if (header_at<EthernetHeader>(packet.data, 0)->type.host() == kEtherTypeIpv4) {
    if (group) return packet.drop(DropReason::l2_broadcast);
    parse_ipv4(packet, ingress, snapshot);
  } else {
    parse_ipv6(packet, ingress, snapshot, group);
  }
  if (ingress.unfinished_checksums) finish(packet);
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
  packet.hash = 0;
  packet.flow = kNoFlow;
  packet.out_interface = kNoInterface;
  packet.fate = Fate::pending;
  packet.reason = {};
  packet.type = PacketClass::other;
  packet.version = 0;
  packet.fragment = FragmentKind::none;
  packet.tcp_flags = 0;
  packet.related = false;
  const InterfaceView* ingress = ingress_of(packet, snapshot);
  if (ingress == nullptr) return packet.drop(DropReason::interface_removed);
  parse_ethernet(packet, *ingress, snapshot);
}

void run_parse(Burst& burst, Context& context) {
  const Snapshot& snapshot = *context.snapshot;
  burst.clear_facts();
  const InterfaceView* ingress = nullptr;
  uint64_t mac = 0;
  for (uint32_t i = 0; i < burst.count; i++) {
    Packet& packet = burst.packets[i];
    if (i == 0 || packet.in_interface != burst.packets[i - 1].in_interface) {
      ingress = ingress_of(packet, snapshot);
      mac = ingress != nullptr ? ingress->mac_word() : 0;
    }
    if (ingress != nullptr && parse_plain(packet, *ingress, mac, snapshot)) {
      if (ingress->unfinished_checksums) finish(packet);
      burst.note_plain(i);
    } else {
      parse_packet(packet, snapshot);
      burst.note(packet);
    }
    if (packet.version == 4) {
      context.flows4->prefetch_bucket(packet.hash);
    } else {
      context.flows6->prefetch_bucket(packet.hash);
    }
  }
}

}  // namespace sluice
