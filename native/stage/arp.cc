// SPDX-License-Identifier: Apache-2.0
#include "stage/arp.h"

#include <cstring>

#include "packet/headers.h"
#include "stage/learn.h"

namespace sluice {
namespace {

bool is_well_formed(const ArpHeader& arp) {
  const uint16_t opcode = arp.opcode.host();
  return arp.hardware.host() == kArpEthernet && arp.protocol.host() == kEtherTypeIpv4 &&
         arp.hardware_length == 6 && arp.protocol_length == 4 &&
         (opcode == kArpRequest || opcode == kArpReply) && !is_group_or_zero(arp.sender_mac);
}

void learn_sender(const ArpHeader& arp, const Packet& packet, Context& context) {
  const InterfaceView& view = context.snapshot->interfaces[packet.in_interface];
  if (arp.sender_address.is_zero() || is_address_of<Ipv4>(view, arp.sender_address)) return;
  learn(packet.in_interface, Ipv4::general(arp.sender_address), arp.sender_mac,
        is_address_of<Ipv4>(view, arp.target_address), context);
}

void answer(Packet& packet, const InterfaceView& view) {
  auto& arp = *header_at<ArpHeader>(packet.data, kEthernetBytes);
  const be32 target = arp.target_address;
  arp.opcode = be16::from_host(kArpReply);
  std::memcpy(arp.target_mac, arp.sender_mac, 6);
  arp.target_address = arp.sender_address;
  std::memcpy(arp.sender_mac, view.mac, 6);
  arp.sender_address = target;
  auto* ethernet = header_at<EthernetHeader>(packet.data, 0);
  std::memcpy(ethernet->destination, arp.target_mac, 6);
  std::memcpy(ethernet->source, view.mac, 6);
  packet.length = kArpFrameBytes;
  packet.out_interface = packet.in_interface;
  packet.fate = Fate::answer;
}

void take(Packet& packet, Context& context) {
  const std::optional<DropReason> reason = judge_arp(packet, *context.snapshot);
  if (reason == DropReason::malformed_arp || reason == DropReason::source_spoofed) {
    return packet.drop(*reason);
  }
  learn_sender(*header_at<ArpHeader>(packet.data, kEthernetBytes), packet, context);
  if (reason) return packet.drop(*reason);
  answer(packet, context.snapshot->interfaces[packet.in_interface]);
}

}  // namespace

std::optional<DropReason> judge_arp(const Packet& packet, const Snapshot& snapshot) {
  if (packet.length < kArpFrameBytes) return DropReason::malformed_arp;
  const auto& arp = *header_at<ArpHeader>(packet.data, kEthernetBytes);
  if (!is_well_formed(arp)) return DropReason::malformed_arp;
  const be32 sender = arp.sender_address, target = arp.target_address;
  const InterfaceView& ingress = snapshot.interfaces[packet.in_interface];
  if (!sender.is_zero() && !ingress.admits<Ipv4>(sender)) return DropReason::source_spoofed;
  const bool for_us = is_address_of<Ipv4>(ingress, target);
  if (for_us && arp.opcode.host() == kArpRequest) return {};
  return for_us || sender == target ? DropReason::arp_absorbed : DropReason::arp_not_for_us;
}

void run_arp(Burst& burst, Context& context) {
  if (!burst.has(PacketClass::arp)) return;
  for (uint32_t i = 0; i < burst.count; i++) {
    Packet& packet = burst.packets[i];
    if (packet.fate == Fate::pending && packet.type == PacketClass::arp) take(packet, context);
  }
}

}  // namespace sluice
