// SPDX-License-Identifier: Apache-2.0
#include "generator/received.h"

#include <algorithm>

#include "packet/headers.h"
#include "packet/ip.h"

namespace sluice::generator {
namespace {

constexpr size_t kPrefixBytes = 12;  // of an address before its last 32 bits

uint32_t word_at(const uint8_t* at) {
  be32 word;
  std::memcpy(&word, at, 4);
  return word.host();
}

bool same_prefix(const Address& a, const Address& b) {
  return std::memcmp(a.bytes, b.bytes, kPrefixBytes) == 0;
}

}  // namespace

bool Reader::claims(const uint8_t* frame, uint32_t length) const {
  if (length < layout_.payload) return false;
  const uint16_t type = header_at<EthernetHeader>(frame, 0)->type.host();
  return layout_.ipv4
             ? type == kEtherTypeIpv4 && ip_header<Ipv4>(frame)->protocol == population_.protocol
             : type == kEtherTypeIpv6 &&
                   ip_header<Ipv6>(frame)->next_header == population_.protocol;
}

std::optional<Received> Reader::read(const uint8_t* frame, uint32_t length,
                                     Direction direction) const {
  if (!claims(frame, length)) return std::nullopt;
  Received received{};
  if (layout_.ipv4) {
    const auto& ip = *ip_header<Ipv4>(frame);
    const uint32_t total = ip.total_length.host();
    if (ip.version_ihl != 0x45 || total + kEthernetBytes > length ||
        total < uint32_t{layout_.ip_bytes} + layout_.l4_bytes) {
      return std::nullopt;
    }
    received.l4_length = total - layout_.ip_bytes;
  } else {
    const auto& ip = *ip_header<Ipv6>(frame);
    received.l4_length = ip.payload_length.host();
    const Address& near =
        direction == Direction::query ? population_.backends.base : population_.clients;
    const Address& far =
        direction == Direction::query ? population_.clients : population_.services.base;
    if (ip.version_class_label != be32::from_host(kIpv6Version) ||
        received.l4_length + layout_.l4 > length || received.l4_length < layout_.l4_bytes ||
        !same_prefix(ip.source, far) || !same_prefix(ip.destination, near)) {
      return std::nullopt;
    }
  }
  const auto& ports = *header_at<PortsHeader>(frame, layout_.l4);
  received.source = {word_at(frame + layout_.source), ports.source.host()};
  received.destination = {word_at(frame + layout_.destination), ports.destination.host()};
  if (population_.protocol == kProtocolTcp) {
    const auto& tcp = *header_at<TcpHeader>(frame, layout_.l4);
    received.tcp = {tcp.flags, tcp.sequence.host(), tcp.acknowledgement.host()};
  }
  received.payload = frame + layout_.payload;
  received.payload_length = received.l4_length - layout_.l4_bytes;
  if (received.payload_length >= kFlowTag && received.tag().magic != magic_of(direction)) {
    return std::nullopt;
  }
  return received;
}

bool Reader::checksums_right(const uint8_t* frame, const Received& received) const {
  uint64_t sum = checksum_sum(frame + layout_.l4, received.l4_length);
  if (layout_.ipv4) {
    const auto& ip = *ip_header<Ipv4>(frame);
    if (fold(checksum_sum(frame + kEthernetBytes, layout_.ip_bytes)) != 0xffff) return false;
    sum += pseudo_sum<Ipv4>(ip.source, ip.destination, population_.protocol, received.l4_length);
  } else {
    const auto& ip = *ip_header<Ipv6>(frame);
    sum += pseudo_sum<Ipv6>(ip.source, ip.destination, population_.protocol, received.l4_length);
  }
  if (population_.protocol == kProtocolUdp &&
      header_at<UdpHeader>(frame, layout_.l4)->checksum.raw == 0) {
    return false;  // the generator always sends one
  }
  return fold(sum) == 0xffff;
}

bool Reader::payload_intact(const uint8_t* frame, const Received& received) const {
  const size_t tag = received.payload_length >= kStampTag  ? kStampTag
                     : received.payload_length >= kFlowTag ? kFlowTag
                                                           : 0;
  const size_t end = layout_.payload + received.payload_length;
  for (size_t at = layout_.payload + tag; at < end; ++at) {
    if (frame[at] != pattern_at(at)) return false;
  }
  return true;
}

}  // namespace sluice::generator
