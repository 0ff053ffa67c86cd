// SPDX-License-Identifier: Apache-2.0
#include "stage/arp.h"

#include <algorithm>
#include <cstring>

#include "packet/headers.h"

namespace sluice {
namespace {

bool is_well_formed(const ArpHeader& arp) {
  static constexpr uint8_t kZero[6] = {};
  const uint16_t opcode = arp.opcode.host();
  return arp.hardware.host() == kArpEthernet && arp.protocol.host() == kEtherTypeIpv4 &&
         arp.hardware_length == 6 && arp.protocol_length == 4 &&
         (opcode == kArpRequest || opcode == kArpReply) &&
         std::memcmp(arp.sender_mac, kZero, 6) != 0 && !(arp.sender_mac[0] & 1);
}

bool is_address_of(const InterfaceView& view, be32 address) {
  return std::any_of(view.addresses.begin(), view.addresses.end(),
                     [&](const InterfaceAddress& own) { return own.address == address; });
}

void learn(const ArpHeader& arp, uint16_t interface, bool for_us, Context& context) {
  Neighbour* neighbour = context.neighbours->find(interface, arp.sender_address);
  if (neighbour == nullptr && for_us) {
    neighbour = context.neighbours->find_or_add(interface, arp.sender_address);
  }
  if (neighbour != nullptr) neighbour->learn(arp.sender_mac, context.now_ms);
}

void answer(Packet& packet, ArpHeader& arp, const InterfaceView& view) {
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
  if (packet.length < kArpFrameBytes) return packet.drop(DropReason::malformed_arp);
  auto& arp = *header_at<ArpHeader>(packet.data, kEthernetBytes);
  if (!is_well_formed(arp)) return packet.drop(DropReason::malformed_arp);

  const InterfaceView& view = context.snapshot->interfaces[packet.in_interface];
  const be32 sender = arp.sender_address, target = arp.target_address;
  const bool for_us = is_address_of(view, target);
  if (!sender.is_zero() && !is_address_of(view, sender)) {
    learn(arp, packet.in_interface, for_us, context);
  }
  if (for_us && arp.opcode.host() == kArpRequest) return answer(packet, arp, view);
  packet.drop(for_us || sender == target ? DropReason::arp_absorbed : DropReason::arp_not_for_us);
}

}  // namespace

void run_arp(Burst& burst, Context& context) {
  for (uint32_t i = 0; i < burst.count; i++) {
    Packet& packet = burst.packets[i];
    if (packet.fate == Fate::pending && packet.type == PacketClass::arp) take(packet, context);
  }
}

}  // namespace sluice
