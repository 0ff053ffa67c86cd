// SPDX-License-Identifier: Apache-2.0
// Protocol headers as they lie in a frame. All have alignment 1, and may alias the frame's bytes.
#pragma once

#include <cstdint>

#include "base/endian.h"

namespace sluice {

inline constexpr uint16_t kEtherTypeIpv4 = 0x0800;
inline constexpr uint16_t kEtherTypeArp = 0x0806;

inline constexpr uint8_t kProtocolIcmp = 1;
inline constexpr uint8_t kProtocolTcp = 6;
inline constexpr uint8_t kProtocolUdp = 17;

struct [[gnu::may_alias]] EthernetHeader {
  uint8_t destination[6];
  uint8_t source[6];
  be16 type;
};
static_assert(sizeof(EthernetHeader) == 14 && alignof(EthernetHeader) == 1);

inline constexpr uint16_t kArpEthernet = 1;
inline constexpr uint16_t kArpRequest = 1;
inline constexpr uint16_t kArpReply = 2;

// RFC 826, for IPv4 over Ethernet.
struct [[gnu::may_alias]] ArpHeader {
  be16 hardware;
  be16 protocol;
  uint8_t hardware_length;
  uint8_t protocol_length;
  be16 opcode;
  uint8_t sender_mac[6];
  be32 sender_address;
  uint8_t target_mac[6];
  be32 target_address;
};
static_assert(sizeof(ArpHeader) == 28 && alignof(ArpHeader) == 1);

struct [[gnu::may_alias]] Ipv4Header {
  uint8_t version_ihl;
  uint8_t dscp_ecn;
  be16 total_length;
  be16 identification;
  be16 flags_fragment;
  uint8_t ttl;
  uint8_t protocol;
  be16 checksum;
  be32 source;
  be32 destination;
};
static_assert(sizeof(Ipv4Header) == 20 && alignof(Ipv4Header) == 1);

inline constexpr uint16_t kIpv4FragmentMask = 0x3fff;  // more-fragments bit and offset

struct [[gnu::may_alias]] TcpHeader {
  be16 source_port;
  be16 destination_port;
  be32 sequence;
  be32 acknowledgement;
  uint8_t data_offset;  // upper four bits, in words
  uint8_t flags;
  be16 window;
  be16 checksum;
  be16 urgent;
};
static_assert(sizeof(TcpHeader) == 20 && alignof(TcpHeader) == 1);

inline constexpr uint8_t kTcpFin = 0x01;
inline constexpr uint8_t kTcpSyn = 0x02;
inline constexpr uint8_t kTcpRst = 0x04;
inline constexpr uint8_t kTcpAck = 0x10;

struct [[gnu::may_alias]] UdpHeader {
  be16 source_port;
  be16 destination_port;
  be16 length;
  be16 checksum;
};
static_assert(sizeof(UdpHeader) == 8 && alignof(UdpHeader) == 1);

struct [[gnu::may_alias]] IcmpHeader {
  uint8_t type;
  uint8_t code;
  be16 checksum;
  be32 rest;
};
static_assert(sizeof(IcmpHeader) == 8 && alignof(IcmpHeader) == 1);

inline constexpr uint8_t kIcmpEchoReply = 0;
inline constexpr uint8_t kIcmpEchoRequest = 8;

inline constexpr uint32_t kEthernetBytes = sizeof(EthernetHeader);
inline constexpr uint32_t kArpFrameBytes = sizeof(EthernetHeader) + sizeof(ArpHeader);

// A header that begins `offset` bytes into the frame; the caller has checked that it fits.
template <typename Header>
Header* header_at(uint8_t* frame, uint32_t offset) {
  return reinterpret_cast<Header*>(frame + offset);
}

}  // namespace sluice
