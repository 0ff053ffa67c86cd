// SPDX-License-Identifier: Apache-2.0
// What differs between IPv4 and IPv6 in a frame, by family, so that the path can be written once.
#pragma once

#include <cstdint>

#include "base/checksum.h"
#include "packet/burst.h"
#include "packet/headers.h"

namespace sluice {

template <class F>
struct Wire;

// Type and code of an ICMP error.
struct IcmpKind {
  uint8_t type, code;
};

template <>
struct Wire<Ipv4> {
  using Header = Ipv4Header;
  static constexpr uint16_t kEtherType = kEtherTypeIpv4;
  static constexpr uint8_t kIcmp = kProtocolIcmp;
  static constexpr uint8_t kEchoRequest = 8;
  static constexpr uint8_t kEchoReply = 0;
  static constexpr IcmpKind kPortUnreachable = {3, 3};
  static constexpr IcmpKind kNoRoute = {3, 0};             // net unreachable
  static constexpr IcmpKind kAddressUnreachable = {3, 1};  // host unreachable
  static constexpr IcmpKind kTooBig = {3, 4};              // fragmentation needed
  static constexpr IcmpKind kTimeExceeded = {11, 0};
  static constexpr uint32_t kQuoted = 548;  // bytes of a packet that an error quotes at most
  static bool is_error(uint8_t type) { return type == 3 || type == 11 || type == 12; }
};

template <>
struct Wire<Ipv6> {
  using Header = Ipv6Header;
  static constexpr uint16_t kEtherType = kEtherTypeIpv6;
  static constexpr uint8_t kIcmp = kProtocolIcmpv6;
  static constexpr uint8_t kEchoRequest = 128;
  static constexpr uint8_t kEchoReply = 129;
  static constexpr IcmpKind kPortUnreachable = {1, 4};
  static constexpr IcmpKind kNoRoute = {1, 0};
  static constexpr IcmpKind kAddressUnreachable = {1, 3};
  static constexpr IcmpKind kTooBig = {2, 0};
  static constexpr IcmpKind kTimeExceeded = {3, 0};
  static constexpr uint32_t kQuoted = 1232;
  static bool is_error(uint8_t type) { return type >= 1 && type <= 4; }
};

template <class F>
typename Wire<F>::Header* ip_header(uint8_t* frame) {
  return header_at<typename Wire<F>::Header>(frame, kEthernetBytes);
}
template <class F>
const typename Wire<F>::Header* ip_header(const uint8_t* frame) {
  return header_at<typename Wire<F>::Header>(frame, kEthernetBytes);
}

// A part of a datagram, not the whole.
inline bool is_fragment(const Ipv4Header& ip) {
  constexpr uint16_t kAny = __builtin_bswap16(kIpv4OffsetMask | kIpv4MoreFragments);
  return (ip.flags_fragment.raw & kAny) != 0;
}

// TTL, or hop limit.
inline uint8_t& lifetime(Ipv4Header& ip) { return ip.ttl; }
inline uint8_t& lifetime(Ipv6Header& ip) { return ip.hop_limit; }

// Of the pseudo header that TCP, UDP and ICMPv6 are summed with; not folded.
template <class F>
uint64_t pseudo_sum(const typename F::Address& source, const typename F::Address& destination,
                    uint8_t protocol, uint32_t length) {
  uint8_t addresses[2 * sizeof(source)];
  std::memcpy(addresses, &source, sizeof(source));
  std::memcpy(addresses + sizeof(source), &destination, sizeof(destination));
  return checksum_sum(addresses, sizeof(addresses)) + be16::from_host(protocol).raw +
         be16::from_host(static_cast<uint16_t>(length >> 16)).raw +
         be16::from_host(static_cast<uint16_t>(length)).raw;
}

// The packets that a stage of the family's path looks at.
template <class F>
bool is_pending(const Packet& packet) {
  return packet.fate == Fate::pending && packet.version == F::kVersion;
}

// Without the Ethernet header.
inline uint32_t l4_length(const Packet& packet) { return packet.length - packet.l4_offset; }

template <class F>
bool is_echo_request(const Packet& packet) {
  return packet.type == PacketClass::echo && packet.fragment != FragmentKind::later &&
         header_at<IcmpHeader>(packet.data, packet.l4_offset)->type == Wire<F>::kEchoRequest;
}

// Classes whose packets the flow table is asked for.
inline bool has_flow(PacketClass type) {
  return type == PacketClass::tcp || type == PacketClass::udp || type == PacketClass::sctp ||
         type == PacketClass::echo;
}

// TCP or SCTP that begins a connection.
inline bool opens(const Packet& packet) {
  return (packet.type == PacketClass::tcp || packet.type == PacketClass::sctp) &&
         (packet.tcp_flags & (kTcpSyn | kTcpAck)) == kTcpSyn;
}

}  // namespace sluice
