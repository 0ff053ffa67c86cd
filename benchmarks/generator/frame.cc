// SPDX-License-Identifier: Apache-2.0
#include "generator/frame.h"

#include <algorithm>
#include <vector>

#include "packet/headers.h"
#include "packet/ip.h"

namespace sluice::generator {
namespace {

constexpr uint16_t kLeastFrame = 60;  // Ethernet's, without FCS
constexpr uint8_t kHops = 64;

}  // namespace

Layout::Layout(uint8_t family, uint8_t protocol)
    : ip_bytes(family == 4 ? sizeof(Ipv4Header) : sizeof(Ipv6Header)),
      l4_bytes(protocol == kProtocolUdp ? sizeof(UdpHeader) : sizeof(TcpHeader)),
      source(static_cast<uint16_t>(kEthernetBytes + (family == 4
                                                         ? offsetof(Ipv4Header, source)
                                                         : offsetof(Ipv6Header, source) + 12))),
      destination(static_cast<uint16_t>(kEthernetBytes +
                                        (family == 4 ? offsetof(Ipv4Header, destination)
                                                     : offsetof(Ipv6Header, destination) + 12))),
      l4(static_cast<uint16_t>(kEthernetBytes + ip_bytes)),
      l4_checksum(
          static_cast<uint16_t>(l4 + (protocol == kProtocolUdp ? offsetof(UdpHeader, checksum)
                                                               : offsetof(TcpHeader, checksum)))),
      payload(static_cast<uint16_t>(l4 + l4_bytes)),
      ipv4(family == 4) {}

FrameTemplate::FrameTemplate(const FrameKind& kind)
    : layout_(kind.population->family, kind.population->protocol),
      length_(std::max<uint16_t>(kLeastFrame, layout_.payload + kind.payload)),
      tagged_(kind.payload >= kStampTag  ? kStampTag
              : kind.payload >= kFlowTag ? kFlowTag
                                         : 0),
      is_short_(layout_.payload + kStampTag <= kBytes / 2 || length_ <= kBytes / 2) {
  fill(kind);
  sum_up(kind);
}

void FrameTemplate::fill(const FrameKind& kind) {
  const Population& population = *kind.population;
  const auto l4_length = static_cast<uint16_t>(layout_.l4_bytes + kind.payload);

  auto& ethernet = *header_at<EthernetHeader>(bytes_, 0);
  std::memcpy(ethernet.destination, kind.destination_mac.data(), 6);
  std::memcpy(ethernet.source, kind.source_mac.data(), 6);
  ethernet.type = be16::from_host(layout_.ipv4 ? kEtherTypeIpv4 : kEtherTypeIpv6);
  const bool query = kind.direction == Direction::query;
  if (layout_.ipv4) {
    auto& ip = *ip_header<Ipv4>(bytes_);
    ip.version_ihl = 0x45;
    ip.total_length = be16::from_host(static_cast<uint16_t>(layout_.ip_bytes + l4_length));
    ip.flags_fragment = be16::from_host(kIpv4DontFragment);
    ip.ttl = kHops;
    ip.protocol = population.protocol;
  } else {
    auto& ip = *ip_header<Ipv6>(bytes_);
    ip.version_class_label = be32::from_host(kIpv6Version);
    ip.payload_length = be16::from_host(l4_length);
    ip.next_header = population.protocol;
    ip.hop_limit = kHops;
    ip.source = query ? population.clients : population.backends.base;
    ip.destination = query ? population.services.base : population.clients;
    // Their last 32 bits are each frame's own.
    std::memset(bytes_ + layout_.source, 0, 4);
    std::memset(bytes_ + layout_.destination, 0, 4);
  }
  if (population.protocol == kProtocolUdp) {
    header_at<UdpHeader>(bytes_, layout_.l4)->length = be16::from_host(l4_length);
  } else {
    auto& tcp = *header_at<TcpHeader>(bytes_, layout_.l4);
    tcp.sequence = be32::from_host(kind.tcp.sequence);
    tcp.acknowledgement = be32::from_host(kind.tcp.acknowledgement);
    tcp.data_offset = sizeof(TcpHeader) / 4 << 4;
    tcp.flags = kind.tcp.flags;
    tcp.window = be16::from_host(0xffff);
  }
  for (size_t at = layout_.payload; at < kBytes; ++at) {
    const bool padding = at >= size_t{layout_.payload} + kind.payload && at < length_;
    bytes_[at] = padding ? 0 : pattern_at(at);
  }
  if (tagged_ != 0) {
    const Tag tag{magic_of(kind.direction), 0, 0};
    std::memcpy(bytes_ + layout_.payload, &tag, tagged_);
  }
}

void FrameTemplate::sum_up(const FrameKind& kind) {
  ip_sum_ = layout_.ipv4 ? checksum_sum(bytes_ + kEthernetBytes, layout_.ip_bytes) : 0;
  const uint32_t l4_length = uint32_t{layout_.l4_bytes} + kind.payload;
  std::vector<uint8_t> whole(bytes_, bytes_ + kBytes);
  while (whole.size() < layout_.l4 + l4_length) whole.push_back(pattern_at(whole.size()));
  l4_sum_ = checksum_sum(whole.data() + layout_.l4, l4_length);
  const uint8_t protocol = kind.population->protocol;
  l4_sum_ += layout_.ipv4
                 ? pseudo_sum<Ipv4>(be32{0}, be32{0}, protocol, l4_length)
                 : pseudo_sum<Ipv6>(ip_header<Ipv6>(bytes_)->source,
                                    ip_header<Ipv6>(bytes_)->destination, protocol, l4_length);
}

}  // namespace sluice::generator
