// SPDX-License-Identifier: Apache-2.0
#include "testing/fuzz_frames.h"

#include "testing/fuzz_addresses.h"
#include "testing/fuzz_packets.h"

namespace sluice {
namespace {

using Bytes = std::vector<uint8_t>;
using Macs = std::vector<Bytes>;

constexpr size_t kHistory = 32;
constexpr uint8_t kBroadcast[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
constexpr uint8_t kGroup[6] = {0x33, 0x33, 0xff, 0, 0, 1};

Bytes station(FuzzInput& input) { return {2, 0, 0, 0, 0xaa, static_cast<uint8_t>(input.below(4))}; }

// Ethernet header of a frame that comes in by `interface`, nearly always to us.
Bytes ethernet(FuzzInput& input, const Bytes& our_mac, uint16_t type) {
  Bytes frame = our_mac;
  if (input.rarely(24)) frame.assign(kBroadcast, kBroadcast + 6);
  if (input.rarely(24)) frame.assign(kGroup, kGroup + 6);
  if (input.rarely(48)) frame = station(input);
  const Bytes source = station(input);
  frame.insert(frame.end(), source.begin(), source.end());
  frame.push_back(static_cast<uint8_t>(type >> 8));
  frame.push_back(static_cast<uint8_t>(type));
  return frame;
}

Bytes ip_frame(FuzzInput& input, const Bytes& our_mac, const Bytes& packet) {
  const bool ipv6 = !packet.empty() && packet[0] >> 4 == 6;
  Bytes frame = ethernet(input, our_mac, ipv6 ? kEtherTypeIpv6 : kEtherTypeIpv4);
  frame.insert(frame.end(), packet.begin(), packet.end());
  return frame;
}

Bytes arp(FuzzInput& input, const Bytes& our_mac) {
  Bytes frame = ethernet(input, our_mac, kEtherTypeArp);
  ArpHeader header{};
  header.hardware = be16::from_host(kArpEthernet);
  header.protocol = be16::from_host(kEtherTypeIpv4);
  header.hardware_length = 6;
  header.protocol_length = 4;
  header.opcode = be16::from_host(static_cast<uint16_t>(1 + input.below(3) % 2));
  std::memcpy(header.sender_mac, &frame[6], 6);
  header.sender_address = Ipv4::from(fuzz_address(input, false));
  header.target_address = Ipv4::from(fuzz_address(input, false));
  frame.resize(kArpFrameBytes);
  std::memcpy(&frame[kEthernetBytes], &header, sizeof(header));
  return frame;
}

// What an earlier frame makes somebody send.
Bytes consequence(FuzzInput& input, const Bytes& our_mac, const Bytes& earlier) {
  if (earlier.size() <= kEthernetBytes) return earlier;
  const Bytes packet(earlier.begin() + kEthernetBytes, earlier.end());
  switch (input.below(5)) {
    case 0:
    case 1:
      return ip_frame(input, our_mac, fuzz_reply(packet, input));
    case 2:
      return ip_frame(input, our_mac, fuzz_error(packet, input));
    case 3:
      return ip_frame(input, our_mac, fuzz_fragment(packet, input));
    default: {
      Bytes again = earlier;
      std::copy(our_mac.begin(), our_mac.end(), again.begin());
      return again;
    }
  }
}

void damage(Bytes& frame, FuzzInput& input) {
  switch (input.below(3)) {
    case 0:
      frame.resize(frame.size() * input.byte() / 256);
      break;
    case 1:
      frame.resize(frame.size() + input.below(32), 0xdd);
      break;
    default:
      if (!frame.empty())
        frame[input.half() % frame.size()] ^= static_cast<uint8_t>(1 + input.byte());
  }
}

}  // namespace

void FuzzHistory::add(FuzzFrame frame) {
  if (frames_.size() == kHistory) frames_.pop_front();
  frames_.push_back(std::move(frame));
}

const FuzzFrame* FuzzHistory::pick(FuzzInput& input) const {
  if (frames_.empty()) return nullptr;
  return &frames_[frames_.size() - 1 - input.byte() % frames_.size()];
}

FuzzFrame fuzz_frame(FuzzInput& input, const FuzzHistory& history, const Macs& ours) {
  FuzzFrame frame{{}, static_cast<uint16_t>(input.below(ours.size()))};
  const uint32_t kind = input.below(16);
  const FuzzFrame* const earlier = kind < 8 ? history.pick(input) : nullptr;
  if (earlier) {
    if (!input.rarely(8)) frame.interface = earlier->interface;
    frame.bytes = consequence(input, ours[frame.interface], earlier->bytes);
  } else if (kind == 15) {
    frame.bytes = input.bytes(input.byte());
  } else if (kind == 14) {
    frame.bytes = arp(input, ours[frame.interface]);
  } else if (kind == 13) {
    frame.bytes = ip_frame(input, ours[frame.interface], fuzz_neighbour_message(input));
  } else {
    frame.bytes = ip_frame(input, ours[frame.interface], fuzz_packet(input));
  }
  if (input.rarely(12)) damage(frame.bytes, input);
  return frame;
}

}  // namespace sluice
