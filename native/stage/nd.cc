// SPDX-License-Identifier: Apache-2.0
#include "stage/nd.h"

#include <array>
#include <cstring>

#include "packet/ip.h"
#include "packet/ipv6_address.h"
#include "packet/neighbour_discovery.h"
#include "stage/learn.h"

namespace sluice {
namespace {

constexpr uint32_t kMessageAt = kEthernetBytes + sizeof(Ipv6Header);
constexpr uint8_t kHopLimit = 255;
constexpr uint8_t kAllNodesMac[6] = {0x33, 0x33, 0, 0, 0, 1};

const NeighbourMessage& message_of(const Packet& packet) {
  return *header_at<NeighbourMessage>(packet.data, kMessageAt);
}

bool is_ours(const InterfaceView& view, const Address& address) {
  return is_address_of<Ipv6>(view, address) || address == link_local_of(view.mac);
}

// What RFC 4861 asks of all of its messages.
bool is_well_formed(const Packet& packet) {
  if (packet.l4_offset != kMessageAt) return false;
  const auto& ip = *ip_header<Ipv6>(packet.data);
  const uint32_t length = l4_length(packet);
  const uint64_t pseudo = pseudo_sum<Ipv6>(ip.source, ip.destination, kProtocolIcmpv6, length);
  return ip.hop_limit == kHopLimit && header_at<IcmpHeader>(packet.data, kMessageAt)->code == 0 &&
         full_checksum(packet.data + kMessageAt, length, pseudo).raw == 0;
}

struct Options {
  bool sound;
  const uint8_t* mac;  // of the first link-layer address option of the type; null: none
};

Options read_options(const Packet& packet, uint8_t type) {
  const uint8_t* mac = nullptr;
  uint32_t at = kMessageAt + sizeof(NeighbourMessage);
  while (at < packet.length) {
    const uint32_t left = packet.length - at;
    if (left < sizeof(LinkAddressOption)) return {false, nullptr};
    const auto* option = header_at<LinkAddressOption>(packet.data, at);
    const uint32_t bytes = option->length * 8u;
    if (bytes == 0 || bytes > left) return {false, nullptr};
    if (option->type == type) {
      if (option->length != 1 || is_group_or_zero(option->mac)) return {false, nullptr};
      if (mac == nullptr) mac = option->mac;
    }
    at += bytes;
  }
  return {true, mac};
}

// The link-layer address option of a solicitation or an advertisement that is well formed.
Options read_message(const Packet& packet) {
  constexpr Options kMalformed{false, nullptr};
  if (l4_length(packet) < sizeof(NeighbourMessage)) return kMalformed;
  const NeighbourMessage& message = message_of(packet);
  if (is_multicast(message.target)) return kMalformed;
  const bool solicits = message.type == kNeighbourSolicitation;
  const Options options = read_options(packet, solicits ? kSourceLinkAddress : kTargetLinkAddress);
  const auto& ip = *ip_header<Ipv6>(packet.data);
  if (solicits && ip.source.is_zero() &&
      (options.mac != nullptr ||
       !same_network(kSolicitedNode, ip.destination, kSolicitedNodeBits))) {
    return kMalformed;
  }
  return options;
}

void answer(Packet& packet, const uint8_t* option_mac, const InterfaceView& view) {
  const Address asker = ip_header<Ipv6>(packet.data)->source;
  const bool anonymous = asker.is_zero();
  std::array<uint8_t, 6> to;
  std::memcpy(to.data(),
              anonymous               ? kAllNodesMac
              : option_mac != nullptr ? option_mac
                                      : header_at<EthernetHeader>(packet.data, 0)->source,
              to.size());
  const Address target = message_of(packet).target;
  write_neighbour_frame(packet.data,
                        {.type = kNeighbourAdvertisement,
                         .mac = view.mac,
                         .to_mac = to.data(),
                         .source = target,
                         .destination = anonymous ? kAllNodes : asker,
                         .target = target,
                         .flags = kRouterFlag | kOverrideFlag | (anonymous ? 0 : kSolicitedFlag)});
  packet.length = kNeighbourFrameBytes;
  packet.out_interface = packet.in_interface;
  packet.fate = Fate::answer;
}

void learn_from(const Packet& packet, const uint8_t* mac, Context& context) {
  if (mac == nullptr) return;
  const NeighbourMessage& message = message_of(packet);
  if (message.type == kNeighbourAdvertisement) {
    return learn(packet.in_interface, message.target, mac, false, context);
  }
  const InterfaceView& view = context.snapshot->interfaces[packet.in_interface];
  const Address& source = ip_header<Ipv6>(packet.data)->source;
  if (is_ours(view, source)) return;
  learn(packet.in_interface, source, mac, is_ours(view, message.target), context);
}

void take(Packet& packet, Context& context) {
  const std::optional<DropReason> reason = judge_nd(packet, context);
  const uint8_t type = message_of(packet).type;
  const bool is_message = type == kNeighbourSolicitation || type == kNeighbourAdvertisement;
  if (reason == DropReason::malformed_nd || !is_message) return packet.drop(*reason);
  const uint8_t* mac = read_message(packet).mac;
  learn_from(packet, mac, context);
  if (reason) return packet.drop(*reason);
  answer(packet, mac, context.snapshot->interfaces[packet.in_interface]);
}

}  // namespace

std::optional<DropReason> judge_nd(const Packet& packet, const Context& context) {
  if (!is_well_formed(packet)) return DropReason::malformed_nd;
  const uint8_t type = packet.data[kMessageAt];
  if (type != kNeighbourSolicitation && type != kNeighbourAdvertisement) {
    return DropReason::nd_not_for_us;
  }
  if (!read_message(packet).sound) return DropReason::malformed_nd;
  const Address& target = message_of(packet).target;
  if (type == kNeighbourAdvertisement) {
    const bool known = context.neighbours->find(packet.in_interface, target) != nullptr;
    return known ? DropReason::nd_absorbed : DropReason::nd_not_for_us;
  }
  if (is_ours(context.snapshot->interfaces[packet.in_interface], target)) return {};
  return DropReason::nd_not_for_us;
}

void run_nd(Burst& burst, Context& context) {
  if (!burst.has(PacketClass::nd)) return;
  for (uint32_t i = 0; i < burst.count; i++) {
    Packet& packet = burst.packets[i];
    if (packet.fate == Fate::pending && packet.type == PacketClass::nd) take(packet, context);
  }
}

}  // namespace sluice
