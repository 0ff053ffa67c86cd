// SPDX-License-Identifier: Apache-2.0
#include "testing/fuzz_checksums.h"

#include "base/sctp_checksum.h"
#include "packet/extension_headers.h"
#include "packet/ip.h"

namespace sluice {
namespace {

using Bytes = std::vector<uint8_t>;

constexpr uint16_t kAllOnes = 0xffff;  // what a right one's complement sum folds to

template <class F>
uint64_t pseudo_sum_of(const uint8_t* packet, uint8_t protocol, size_t length) {
  const auto& header = *header_at<typename Wire<F>::Header>(packet, 0);
  return pseudo_sum<F>(header.source, header.destination, protocol, static_cast<uint32_t>(length));
}

bool l4_is_right(const Bytes& packet, uint8_t protocol, size_t l4) {
  const uint8_t* const begin = packet.data() + l4;
  size_t length = packet.size() - l4;
  if (protocol == kProtocolSctp) {
    if (length < sizeof(SctpHeader)) return false;
    return header_at<SctpHeader>(begin, 0)->checksum.raw == sctp_checksum(begin, length).raw;
  }
  if (protocol == kProtocolUdp) {
    if (length < sizeof(UdpHeader)) return false;
    const UdpHeader& udp = *header_at<UdpHeader>(begin, 0);
    if (udp.length.host() < sizeof(UdpHeader) || udp.length.host() > length) return false;
    if (udp.checksum.raw == 0) return true;
    length = udp.length.host();
  } else if (protocol == kProtocolTcp) {
    if (length < sizeof(TcpHeader)) return false;
  } else if (protocol != kProtocolIcmp && protocol != kProtocolIcmpv6) {
    return true;
  }
  const uint64_t sum = checksum_sum(begin, length);
  if (protocol == kProtocolIcmp) return fold(sum) == kAllOnes;
  return fold(sum + l4_pseudo_sum(packet, protocol, length)) == kAllOnes;
}

bool ipv4_is_right(Bytes packet) {
  if (packet.size() < sizeof(Ipv4Header)) return false;
  const Ipv4Header& header = *header_at<Ipv4Header>(packet.data(), 0);
  const size_t l4 = (header.version_ihl & 0xfu) * 4u, length = header.total_length.host();
  const uint16_t fragment = header.flags_fragment.host();
  const uint8_t protocol = header.protocol;
  if (l4 < sizeof(Ipv4Header) || length < l4 || length > packet.size()) return false;
  if (fold(checksum_sum(packet.data(), l4)) != kAllOnes) return false;
  if (fragment & (kIpv4MoreFragments | kIpv4OffsetMask)) return true;
  packet.resize(length);
  return l4_is_right(packet, protocol, l4);
}

bool ipv6_is_right(Bytes packet) {
  if (packet.size() < sizeof(Ipv6Header)) return false;
  const Ipv6Header& header = *header_at<Ipv6Header>(packet.data(), 0);
  const size_t length = sizeof(Ipv6Header) + header.payload_length.host();
  if (length > packet.size()) return false;
  const HeaderChain chain = walk_extension_headers(
      packet.data(), header.next_header, sizeof(Ipv6Header), static_cast<uint32_t>(length));
  if (chain.refused) return false;
  if (chain.fragment && (chain.fragment_offset() != 0 || chain.more_fragments())) return true;
  packet.resize(length);
  return l4_is_right(packet, chain.protocol, chain.end);
}

}  // namespace

be16* l4_checksum_field(Bytes& packet, uint8_t protocol, size_t l4) {
  const size_t room = packet.size() - l4;
  const auto at = static_cast<uint32_t>(l4);
  if (protocol == kProtocolTcp && room >= sizeof(TcpHeader)) {
    return &header_at<TcpHeader>(packet.data(), at)->checksum;
  }
  if (protocol == kProtocolUdp && room >= sizeof(UdpHeader)) {
    return &header_at<UdpHeader>(packet.data(), at)->checksum;
  }
  const bool is_icmp = protocol == kProtocolIcmp || protocol == kProtocolIcmpv6;
  if (is_icmp && room >= sizeof(IcmpHeader)) {
    return &header_at<IcmpHeader>(packet.data(), at)->checksum;
  }
  return nullptr;
}

uint64_t l4_pseudo_sum(const Bytes& packet, uint8_t protocol, size_t length) {
  return packet[0] >> 4 == 6 ? pseudo_sum_of<Ipv6>(packet.data(), protocol, length)
                             : pseudo_sum_of<Ipv4>(packet.data(), protocol, length);
}

void write_l4_checksum(Bytes& packet, uint8_t protocol, size_t l4) {
  const size_t length = packet.size() - l4;
  if (protocol == kProtocolSctp && length >= sizeof(SctpHeader)) {
    header_at<SctpHeader>(packet.data(), static_cast<uint32_t>(l4))->checksum =
        sctp_checksum(&packet[l4], length);
    return;
  }
  be16* const field = l4_checksum_field(packet, protocol, l4);
  if (!field) return;
  *field = {};
  const uint64_t pseudo = protocol == kProtocolIcmp ? 0 : l4_pseudo_sum(packet, protocol, length);
  *field = full_checksum(&packet[l4], length, pseudo);
  if (protocol == kProtocolUdp && field->raw == 0) field->raw = 0xffff;
}

bool checksums_are_right(const Bytes& frame) {
  if (frame.size() < kEthernetBytes) return true;
  const uint16_t type = header_at<EthernetHeader>(frame.data(), 0)->type.host();
  const Bytes packet(frame.begin() + kEthernetBytes, frame.end());
  if (type == kEtherTypeIpv4) return ipv4_is_right(packet);
  if (type == kEtherTypeIpv6) return ipv6_is_right(packet);
  return true;
}

}  // namespace sluice
