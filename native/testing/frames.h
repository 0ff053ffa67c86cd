// SPDX-License-Identifier: Apache-2.0
// Builds frames of both families, and says whether their checksums are right, for tests.
#pragma once

#include <array>
#include <cstring>
#include <vector>

#include "base/sctp_checksum.h"
#include "packet/extension_headers.h"
#include "packet/ip.h"
#include "testing/delta.h"

namespace sluice {

using Bytes = std::vector<uint8_t>;
using Mac = std::array<uint8_t, 6>;

inline constexpr Mac kBroadcast = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};

inline EthernetHeader& ethernet_of(Bytes& frame) {
  return *header_at<EthernetHeader>(frame.data(), 0);
}
inline ArpHeader& arp_of(Bytes& frame) { return *header_at<ArpHeader>(frame.data(), 14); }
inline Ipv4Header& ip_of(Bytes& frame) { return *header_at<Ipv4Header>(frame.data(), 14); }
inline Ipv6Header& ip6_of(Bytes& frame) { return *header_at<Ipv6Header>(frame.data(), 14); }
inline bool is_ipv4(const Bytes& frame) { return frame[14] >> 4 == 4; }

inline Address source_of(Bytes& frame) {
  return is_ipv4(frame) ? Ipv4::general(ip_of(frame).source) : ip6_of(frame).source;
}
inline Address destination_of(Bytes& frame) {
  return is_ipv4(frame) ? Ipv4::general(ip_of(frame).destination) : ip6_of(frame).destination;
}

// Where the L4 header is and what it is.
struct L4Place {
  uint32_t offset;
  uint8_t protocol;
};
inline L4Place l4_place(Bytes& frame) {
  if (is_ipv4(frame)) return {14 + (frame[14] & 0xfu) * 4u, ip_of(frame).protocol};
  const HeaderChain chain = walk_extension_headers(frame.data(), ip6_of(frame).next_header, 54,
                                                   static_cast<uint32_t>(frame.size()));
  return {chain.end, chain.protocol};
}
template <typename Header>
Header& l4_of(Bytes& frame) {
  return *header_at<Header>(frame.data(), l4_place(frame).offset);
}

// Offset of the checksum in the header of a protocol; 0: it has none that we know.
inline uint32_t checksum_offset(uint8_t protocol) {
  switch (protocol) {
    case kProtocolTcp:
      return 16;
    case kProtocolUdp:
      return 6;
    case kProtocolSctp:
      return 8;
    case kProtocolIcmp:
    case kProtocolIcmpv6:
      return 2;
    default:
      return 0;
  }
}

inline uint64_t pseudo_header_sum(Bytes& frame, uint8_t protocol, uint32_t length) {
  if (protocol == kProtocolIcmp) return 0;
  return is_ipv4(frame)
             ? pseudo_sum<Ipv4>(ip_of(frame).source, ip_of(frame).destination, protocol, length)
             : pseudo_sum<Ipv6>(ip6_of(frame).source, ip6_of(frame).destination, protocol, length);
}

inline void write_ip_checksum(Bytes& frame) {
  if (!is_ipv4(frame)) return;
  ip_of(frame).checksum = {};
  ip_of(frame).checksum = full_checksum(&frame[14], (frame[14] & 0xfu) * 4u);
}

// The L4 header is there, and no fragment.
inline void write_l4_checksum(Bytes& frame) {
  const auto [at, protocol] = l4_place(frame);
  const uint32_t field = checksum_offset(protocol);
  if (field == 0) return;
  const auto length = static_cast<uint32_t>(frame.size() - at);
  if (protocol == kProtocolSctp) {
    header_at<SctpHeader>(frame.data(), at)->checksum = sctp_checksum(&frame[at], length);
    return;
  }
  auto& checksum = *header_at<be16>(frame.data(), at + field);
  checksum = {};
  checksum = full_checksum(&frame[at], length, pseudo_header_sum(frame, protocol, length));
  if (protocol == kProtocolUdp && checksum.raw == 0) checksum = {0xffff};
}

inline void write_checksums(Bytes& frame) {
  write_ip_checksum(frame);
  write_l4_checksum(frame);
}

inline bool checksums_hold(const Bytes& frame) {
  Bytes fresh = frame;
  write_checksums(fresh);
  return fresh == frame;
}

struct Stations {
  Mac source, destination;
};

inline Bytes ethernet_frame(Stations stations, uint16_t type, size_t length) {
  Bytes frame(length);
  std::memcpy(ethernet_of(frame).destination, stations.destination.data(), 6);
  std::memcpy(ethernet_of(frame).source, stations.source.data(), 6);
  ethernet_of(frame).type = be16::from_host(type);
  return frame;
}

// An IP packet of the family of its source; the IPv4 checksum is right.
inline Bytes ip_frame(Stations stations, const AnyAddress& source, const AnyAddress& destination,
                      uint8_t protocol, const Bytes& payload) {
  const bool v4 = source.is_ipv4();
  const size_t header = v4 ? sizeof(Ipv4Header) : sizeof(Ipv6Header);
  Bytes frame =
      ethernet_frame(stations, v4 ? kEtherTypeIpv4 : kEtherTypeIpv6, 14 + header + payload.size());
  const auto length = static_cast<uint16_t>(payload.size());
  if (v4) {
    ip_of(frame) = {.version_ihl = 0x45,
                    .dscp_ecn = 0,
                    .total_length = be16::from_host(static_cast<uint16_t>(20 + length)),
                    .identification = be16::from_host(0x1234),
                    .flags_fragment = {},
                    .ttl = 64,
                    .protocol = protocol,
                    .checksum = {},
                    .source = Ipv4::from(source),
                    .destination = Ipv4::from(destination)};
    write_ip_checksum(frame);
  } else {
    ip6_of(frame) = {
        be32::from_host(kIpv6Version), be16::from_host(length), protocol, 64, source, destination};
  }
  std::copy(payload.begin(), payload.end(), frame.begin() + static_cast<ptrdiff_t>(14 + header));
  return frame;
}

// As ip_frame, with a header of its own in front of `data` and all checksums right.
template <typename Header>
Bytes l4_frame(Stations stations, const AnyAddress& source, const AnyAddress& destination,
               uint8_t protocol, const Header& header, const Bytes& data) {
  Bytes payload(sizeof(header) + data.size());
  std::memcpy(payload.data(), &header, sizeof(header));
  std::copy(data.begin(), data.end(), payload.begin() + sizeof(header));
  Bytes frame = ip_frame(stations, source, destination, protocol, payload);
  write_l4_checksum(frame);
  return frame;
}

inline Bytes tcp_frame(Stations stations, const AnyAddress& source, uint16_t source_port,
                       const AnyAddress& destination, uint16_t destination_port, uint8_t flags,
                       size_t data = 7) {
  TcpHeader tcp{};
  tcp.source_port = be16::from_host(source_port);
  tcp.destination_port = be16::from_host(destination_port);
  tcp.sequence = be32::from_host(0xfffffff0);
  tcp.acknowledgement = be32::from_host(0x01020304);
  tcp.data_offset = 5 << 4;
  tcp.flags = flags;
  return l4_frame(stations, source, destination, kProtocolTcp, tcp, Bytes(data, 0x5a));
}

inline Bytes udp_frame(Stations stations, const AnyAddress& source, uint16_t source_port,
                       const AnyAddress& destination, uint16_t destination_port, size_t data = 5) {
  const UdpHeader udp{be16::from_host(source_port),
                      be16::from_host(destination_port),
                      be16::from_host(static_cast<uint16_t>(sizeof(udp) + data)),
                      {}};
  return l4_frame(stations, source, destination, kProtocolUdp, udp, Bytes(data, 0xa5));
}

inline constexpr uint8_t kSctpInit = 1;
inline constexpr uint8_t kSctpAbort = 6;

inline Bytes sctp_frame(Stations stations, const AnyAddress& source, uint16_t source_port,
                        const AnyAddress& destination, uint16_t destination_port, uint8_t chunk,
                        size_t data = 9) {
  const SctpHeader sctp{be16::from_host(source_port),
                        be16::from_host(destination_port),
                        be32::from_host(7),
                        {},
                        chunk,
                        0,
                        be16::from_host(static_cast<uint16_t>(4 + data))};
  return l4_frame(stations, source, destination, kProtocolSctp, sctp, Bytes(data, 0x77));
}

inline Bytes echo_frame(Stations stations, const AnyAddress& source, const AnyAddress& destination,
                        uint16_t identifier = 1, bool reply = false) {
  const bool v4 = source.is_ipv4();
  const uint8_t type = v4 ? (reply ? Wire<Ipv4>::kEchoReply : Wire<Ipv4>::kEchoRequest)
                          : (reply ? Wire<Ipv6>::kEchoReply : Wire<Ipv6>::kEchoRequest);
  const IcmpHeader icmp{type, 0, {}, be16::from_host(identifier), be16::from_host(2)};
  return l4_frame(stations, source, destination, v4 ? kProtocolIcmp : kProtocolIcmpv6, icmp,
                  Bytes(9, 0x11));
}

// An error (port unreachable) that quotes up to `most` bytes of a packet.
inline Bytes error_frame(Stations stations, const AnyAddress& source, const AnyAddress& destination,
                         const Bytes& about, size_t most = 548) {
  const bool v4 = source.is_ipv4();
  const IcmpHeader icmp{v4 ? Wire<Ipv4>::kPortUnreachable.type : Wire<Ipv6>::kPortUnreachable.type,
                        v4 ? Wire<Ipv4>::kPortUnreachable.code : Wire<Ipv6>::kPortUnreachable.code,
                        {},
                        {},
                        {}};
  const size_t quoted = std::min(about.size() - 14, most);
  return l4_frame(stations, source, destination, v4 ? kProtocolIcmp : kProtocolIcmpv6, icmp,
                  Bytes(about.begin() + 14, about.begin() + 14 + static_cast<ptrdiff_t>(quoted)));
}

// What an error quotes, as a frame.
inline Bytes quoted_in(Bytes frame) {
  const uint32_t at = l4_place(frame).offset + sizeof(IcmpHeader);
  Bytes quoted(frame.begin(), frame.begin() + 14);
  quoted.insert(quoted.end(), frame.begin() + at, frame.end());
  return quoted;
}

// The IP packet of a frame in fragments of at most `most` (a multiple of 8) bytes of data.
inline std::vector<Bytes> fragments_of(Bytes frame, size_t most, uint16_t identification = 9) {
  const bool v4 = is_ipv4(frame);
  const size_t header = 14 + (v4 ? sizeof(Ipv4Header) : sizeof(Ipv6Header));
  std::vector<Bytes> pieces;
  for (size_t at = header; at < frame.size(); at += most) {
    const size_t end = std::min(at + most, frame.size());
    const bool more = end < frame.size();
    const auto offset = static_cast<uint16_t>(at - header);
    Bytes piece(frame.begin(), frame.begin() + static_cast<ptrdiff_t>(header));
    if (!v4) {
      piece.resize(header + sizeof(FragmentHeader));
      *header_at<FragmentHeader>(piece.data(), static_cast<uint32_t>(header)) = {
          ip6_of(frame).next_header, 0,
          be16::from_host(static_cast<uint16_t>(offset | (more ? 1 : 0))),
          be32::from_host(identification)};
      ip6_of(piece).next_header = kProtocolFragment;
    }
    piece.insert(piece.end(), frame.begin() + static_cast<ptrdiff_t>(at),
                 frame.begin() + static_cast<ptrdiff_t>(end));
    if (v4) {
      Ipv4Header& ip = ip_of(piece);
      ip.total_length = be16::from_host(static_cast<uint16_t>(piece.size() - 14));
      ip.identification = be16::from_host(identification);
      ip.flags_fragment =
          be16::from_host(static_cast<uint16_t>(offset / 8 | (more ? kIpv4MoreFragments : 0)));
      write_ip_checksum(piece);
    } else {
      ip6_of(piece).payload_length =
          be16::from_host(static_cast<uint16_t>(piece.size() - 14 - sizeof(Ipv6Header)));
    }
    pieces.push_back(piece);
  }
  return pieces;
}

inline Bytes arp_frame(Stations stations, uint16_t opcode, uint32_t sender, uint32_t target) {
  Bytes frame = ethernet_frame(stations, kEtherTypeArp, 42);
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

// A solicitation or an advertisement; `options` as they lie.
inline Bytes nd_frame(Stations stations, const Address& source, const Address& destination,
                      uint8_t type, const Address& target, const Bytes& options,
                      uint32_t flags = 0) {
  const NeighbourMessage message{type, 0, {}, be32::from_host(flags), target};
  Bytes frame = l4_frame(stations, source, destination, kProtocolIcmpv6, message, options);
  ip6_of(frame).hop_limit = 255;
  return frame;
}

inline Bytes link_address(uint8_t type, const Mac& mac) {
  return {type, 1, mac[0], mac[1], mac[2], mac[3], mac[4], mac[5]};
}

}  // namespace sluice
