// SPDX-License-Identifier: Apache-2.0
// Builds frames, and says whether their checksums are right, for tests.
#pragma once

#include <array>
#include <cstring>
#include <initializer_list>
#include <vector>

#include "base/checksum.h"
#include "packet/headers.h"

namespace sluice {

using Bytes = std::vector<uint8_t>;
using Mac = std::array<uint8_t, 6>;

inline constexpr Mac kBroadcast = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};

inline EthernetHeader& ethernet_of(Bytes& frame) {
  return *header_at<EthernetHeader>(frame.data(), 0);
}
inline ArpHeader& arp_of(Bytes& frame) { return *header_at<ArpHeader>(frame.data(), 14); }
inline Ipv4Header& ip_of(Bytes& frame) { return *header_at<Ipv4Header>(frame.data(), 14); }
template <typename Header>
Header& l4_of(Bytes& frame) {
  return *header_at<Header>(frame.data(), 14 + (frame[14] & 0xfu) * 4u);
}

// What the L4 checksum would be if the field held zero; ICMP has no pseudo header.
inline be16 l4_checksum(Bytes frame) {
  const Ipv4Header& header = ip_of(frame);
  const size_t start = 14 + (header.version_ihl & 0xfu) * 4u;
  const size_t length = 14u + header.total_length.host() - start;
  uint64_t pseudo = 0;
  if (header.protocol == kProtocolTcp) {
    l4_of<TcpHeader>(frame).checksum = {};
  } else if (header.protocol == kProtocolUdp) {
    l4_of<UdpHeader>(frame).checksum = {};
  } else {
    l4_of<IcmpHeader>(frame).checksum = {};
  }
  if (header.protocol != kProtocolIcmp) {
    pseudo = checksum_sum(&frame[26], 8) + be16::from_host(header.protocol).raw +
             be16::from_host(static_cast<uint16_t>(length)).raw;
  }
  const be16 sum = full_checksum(&frame[start], length, pseudo);
  return header.protocol == kProtocolUdp && sum.raw == 0 ? be16{0xffff} : sum;
}

inline void write_ip_checksum(Bytes& frame) {
  ip_of(frame).checksum = {};
  ip_of(frame).checksum = full_checksum(&frame[14], (frame[14] & 0xfu) * 4u);
}

inline void write_checksums(Bytes& frame) {
  write_ip_checksum(frame);
  const be16 sum = l4_checksum(frame);
  if (ip_of(frame).protocol == kProtocolTcp) l4_of<TcpHeader>(frame).checksum = sum;
  if (ip_of(frame).protocol == kProtocolUdp) l4_of<UdpHeader>(frame).checksum = sum;
  if (ip_of(frame).protocol == kProtocolIcmp) l4_of<IcmpHeader>(frame).checksum = sum;
}

inline bool checksums_hold(Bytes& frame) {
  Bytes fresh = frame;
  write_checksums(fresh);
  return fresh == frame;
}

struct Stations {
  Mac source, destination;
};

inline Bytes ipv4_frame(Stations stations, uint32_t source, uint32_t destination, uint8_t protocol,
                        const Bytes& payload) {
  Bytes frame(14 + 20 + payload.size());
  std::memcpy(ethernet_of(frame).destination, stations.destination.data(), 6);
  std::memcpy(ethernet_of(frame).source, stations.source.data(), 6);
  ethernet_of(frame).type = be16::from_host(kEtherTypeIpv4);
  Ipv4Header& header = ip_of(frame);
  header.version_ihl = 0x45;
  header.total_length = be16::from_host(static_cast<uint16_t>(20 + payload.size()));
  header.identification = be16::from_host(0x1234);
  header.ttl = 64;
  header.protocol = protocol;
  header.source = be32::from_host(source);
  header.destination = be32::from_host(destination);
  if (!payload.empty()) std::memcpy(&frame[34], payload.data(), payload.size());
  return frame;
}

inline Bytes tcp_frame(Stations stations, uint32_t source, uint16_t source_port,
                       uint32_t destination, uint16_t destination_port, uint8_t flags) {
  Bytes frame = ipv4_frame(stations, source, destination, kProtocolTcp, Bytes(20 + 7, 0x5a));
  auto& tcp = l4_of<TcpHeader>(frame);
  tcp = {};
  tcp.source_port = be16::from_host(source_port);
  tcp.destination_port = be16::from_host(destination_port);
  tcp.data_offset = 5 << 4;
  tcp.flags = flags;
  write_checksums(frame);
  return frame;
}

inline Bytes udp_frame(Stations stations, uint32_t source, uint16_t source_port,
                       uint32_t destination, uint16_t destination_port) {
  Bytes frame = ipv4_frame(stations, source, destination, kProtocolUdp, Bytes(8 + 5, 0xa5));
  l4_of<UdpHeader>(frame) = {
      be16::from_host(source_port), be16::from_host(destination_port), be16::from_host(8 + 5), {}};
  write_checksums(frame);
  return frame;
}

inline Bytes echo_frame(Stations stations, uint32_t source, uint32_t destination) {
  Bytes frame = ipv4_frame(stations, source, destination, kProtocolIcmp, Bytes(8 + 9, 0x11));
  l4_of<IcmpHeader>(frame) = {kIcmpEchoRequest, 0, {}, be32::from_host(0x00010002)};
  write_checksums(frame);
  return frame;
}

inline Bytes arp_frame(Stations stations, uint16_t opcode, uint32_t sender, uint32_t target) {
  Bytes frame(42);
  std::memcpy(ethernet_of(frame).destination, stations.destination.data(), 6);
  std::memcpy(ethernet_of(frame).source, stations.source.data(), 6);
  ethernet_of(frame).type = be16::from_host(kEtherTypeArp);
  ArpHeader& arp = arp_of(frame);
  arp = {be16::from_host(1),
         be16::from_host(kEtherTypeIpv4),
         6,
         4,
         be16::from_host(opcode),
         {},
         be32::from_host(sender),
         {},
         be32::from_host(target)};
  std::memcpy(arp.sender_mac, stations.source.data(), 6);
  return frame;
}

}  // namespace sluice
