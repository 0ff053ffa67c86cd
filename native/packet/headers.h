// SPDX-License-Identifier: Apache-2.0
// Protocol headers as they lie in a frame. All have alignment 1, and may alias the frame's bytes.
#pragma once

#include <cstdint>

#include "base/endian.h"
#include "base/family.h"

namespace sluice {

inline constexpr uint16_t kEtherTypeIpv4 = 0x0800;
inline constexpr uint16_t kEtherTypeArp = 0x0806;
inline constexpr uint16_t kEtherTypeIpv6 = 0x86dd;

// IANA protocol numbers, IPv6 extension headers among them.
inline constexpr uint8_t kProtocolHopByHop = 0;
inline constexpr uint8_t kProtocolIcmp = 1;
inline constexpr uint8_t kProtocolIpv4 = 4;
inline constexpr uint8_t kProtocolTcp = 6;
inline constexpr uint8_t kProtocolUdp = 17;
inline constexpr uint8_t kProtocolIpv6 = 41;
inline constexpr uint8_t kProtocolRouting = 43;
inline constexpr uint8_t kProtocolFragment = 44;
inline constexpr uint8_t kProtocolGre = 47;
inline constexpr uint8_t kProtocolAuthentication = 51;
inline constexpr uint8_t kProtocolIcmpv6 = 58;
inline constexpr uint8_t kProtocolDestinationOptions = 60;
inline constexpr uint8_t kProtocolSctp = 132;

struct [[gnu::may_alias]] EthernetHeader {
  uint8_t destination[6];
  uint8_t source[6];
  be16 type;
};
static_assert(sizeof(EthernetHeader) == 14 && alignof(EthernetHeader) == 1);

// Stands where there is no station: on the far side of a tunnel that carries packets, not frames.
inline constexpr uint8_t kNoStation[6] = {2, 0, 0, 0, 0, 0};

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

inline constexpr uint16_t kIpv4DontFragment = 0x4000;
inline constexpr uint16_t kIpv4MoreFragments = 0x2000;
inline constexpr uint16_t kIpv4OffsetMask = 0x1fff;  // in 8 bytes

// RFC 8200.
struct [[gnu::may_alias]] Ipv6Header {
  be32 version_class_label;
  be16 payload_length;
  uint8_t next_header;
  uint8_t hop_limit;
  Address source;
  Address destination;
};
static_assert(sizeof(Ipv6Header) == 40 && alignof(Ipv6Header) == 1);

inline constexpr uint32_t kIpv6Version = 6u << 28;  // traffic class and flow label 0

// What all extension headers begin with.
struct [[gnu::may_alias]] ExtensionHeader {
  uint8_t next_header;
  uint8_t length;  // unit and bias depend on the header
  uint8_t routing_type;
  uint8_t segments_left;  // of a routing header
  be32 rest;
};
static_assert(sizeof(ExtensionHeader) == 8 && alignof(ExtensionHeader) == 1);

struct [[gnu::may_alias]] FragmentHeader {
  uint8_t next_header;
  uint8_t reserved;
  be16 offset_flags;  // offset in bytes in the upper 13 bits, more-fragments in the lowest
  be32 identification;
};
static_assert(sizeof(FragmentHeader) == 8 && alignof(FragmentHeader) == 1);

// What TCP, UDP and SCTP begin with.
struct [[gnu::may_alias]] PortsHeader {
  be16 source;
  be16 destination;
};
static_assert(sizeof(PortsHeader) == 4 && alignof(PortsHeader) == 1);

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

inline constexpr uint32_t kTcpChecksumEnd = 18;

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

// RFC 9260: the common header, and the first chunk's.
struct [[gnu::may_alias]] SctpHeader {
  be16 source_port;
  be16 destination_port;
  be32 verification_tag;
  be32 checksum;
  uint8_t chunk_type;
  uint8_t chunk_flags;
  be16 chunk_length;
};
static_assert(sizeof(SctpHeader) == 16 && alignof(SctpHeader) == 1);

struct [[gnu::may_alias]] IcmpHeader {
  uint8_t type;
  uint8_t code;
  be16 checksum;
  be16 identifier;  // of an echo
  be16 rest;
};
static_assert(sizeof(IcmpHeader) == 8 && alignof(IcmpHeader) == 1);

// RFC 2784, RFC 2890. Checksum, key and sequence number follow, four bytes each, those that the
// flags say are there.
struct [[gnu::may_alias]] GreHeader {
  be16 flags;
  be16 type;
};
static_assert(sizeof(GreHeader) == 4 && alignof(GreHeader) == 1);

inline constexpr uint16_t kGreChecksum = 0x8000;
inline constexpr uint16_t kGreKey = 0x2000;
inline constexpr uint16_t kGreSequence = 0x1000;
inline constexpr uint32_t kGreField = 4;

// RFC 7348, behind the UDP header.
struct [[gnu::may_alias]] VxlanHeader {
  uint8_t flags;
  uint8_t reserved[3];
  be32 vni;  // in the upper 24 bits
};
static_assert(sizeof(VxlanHeader) == 8 && alignof(VxlanHeader) == 1);

inline constexpr uint8_t kVxlanHasVni = 0x08;

inline constexpr uint8_t kRouterSolicitation = 133;
inline constexpr uint8_t kNeighbourSolicitation = 135;
inline constexpr uint8_t kNeighbourAdvertisement = 136;
inline constexpr uint8_t kRedirect = 137;

// RFC 4861: a solicitation or an advertisement, without its options.
struct [[gnu::may_alias]] NeighbourMessage {
  uint8_t type;
  uint8_t code;
  be16 checksum;
  be32 flags;  // of an advertisement
  Address target;
};
static_assert(sizeof(NeighbourMessage) == 24 && alignof(NeighbourMessage) == 1);

inline constexpr uint8_t kSourceLinkAddress = 1;
inline constexpr uint8_t kTargetLinkAddress = 2;

struct [[gnu::may_alias]] LinkAddressOption {
  uint8_t type;
  uint8_t length;  // in 8 bytes
  uint8_t mac[6];
};
static_assert(sizeof(LinkAddressOption) == 8 && alignof(LinkAddressOption) == 1);

inline constexpr uint32_t kEthernetBytes = sizeof(EthernetHeader);
inline constexpr uint32_t kArpFrameBytes = sizeof(EthernetHeader) + sizeof(ArpHeader);

// A header that begins `offset` bytes into the frame; the caller has checked that it fits.
template <typename Header>
Header* header_at(uint8_t* frame, uint32_t offset) {
  return reinterpret_cast<Header*>(frame + offset);
}
template <typename Header>
const Header* header_at(const uint8_t* frame, uint32_t offset) {
  return reinterpret_cast<const Header*>(frame + offset);
}

}  // namespace sluice
