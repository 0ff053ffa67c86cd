// SPDX-License-Identifier: Apache-2.0
// Theory of operation. TCP, UDP, SCTP and ICMP: class, ports, flags, and with them five-tuple and
// hash. A later fragment has no L4 header: its ports come from the first one of its datagram
// (stage/fragment). Inline, as all of parse: it is one path, in files by subject.
#pragma once

#include "packet/burst.h"
#include "packet/l4.h"

namespace sluice {

// Whether a fragment has data, in units of 8 bytes but for the last, within 65,535 bytes.
inline bool is_sound(const FragmentRange& range) {
  return range.length != 0 && (!range.more || range.length % 8 == 0) &&
         range.offset + range.length <= UINT16_MAX;
}

// Protocols whose headers are looked at; of these, later fragments go after the first one.
template <class F>
bool has_known_l4(uint8_t protocol) {
  return protocol == kProtocolTcp || protocol == kProtocolUdp || protocol == kProtocolSctp ||
         protocol == Wire<F>::kIcmp;
}

// The types of SCTP's chunks that open and end an association (RFC 9260, 3.2), as TCP flags.
inline uint8_t flags_of_chunk(uint8_t type) {
  switch (type) {
    case 1:  // INIT
      return kTcpSyn;
    case 2:  // INIT ACK
      return kTcpSyn | kTcpAck;
    case 6:   // ABORT
    case 14:  // SHUTDOWN COMPLETE
      return kTcpRst;
    case 7:  // SHUTDOWN
    case 8:  // SHUTDOWN ACK
      return kTcpFin | kTcpAck;
    default:
      return kTcpAck;
  }
}

// Whether the header is whole, in `room` bytes, and its lengths agree with them. Sets the flags.
template <class F>
bool take_l4_header(Packet& packet, uint8_t protocol, const uint8_t* l4, uint32_t room) {
  switch (protocol) {
    case kProtocolTcp: {
      if (room < sizeof(TcpHeader)) return false;
      const auto* tcp = header_at<TcpHeader>(l4, 0);
      packet.tcp_flags = tcp->flags;
      const uint32_t header = (tcp->data_offset >> 4) * 4u;
      return header >= sizeof(TcpHeader) && header <= room;
    }
    case kProtocolUdp: {
      if (room < sizeof(UdpHeader)) return false;
      const uint32_t length = header_at<UdpHeader>(l4, 0)->length.host();
      return length >= sizeof(UdpHeader) &&
             (length <= room || packet.fragment == FragmentKind::first);
    }
    case kProtocolSctp:
      if (room < sizeof(SctpHeader)) return false;
      packet.tcp_flags = flags_of_chunk(header_at<SctpHeader>(l4, 0)->chunk_type);
      return true;
    case Wire<F>::kIcmp:
      return room >= sizeof(IcmpHeader);
    default:
      return true;
  }
}

// Five-tuple and hash. The addresses lie in the header as they do in the tuple, source first; all
// goes by words, because to read as words what was just written by members would stall.
template <class F>
void set_tuple(Packet& packet, const typename F::Address* addresses, PortsHeader ports,
               uint8_t protocol) {
  constexpr size_t kAddressWords = 2 * sizeof(*addresses) / 8;
  uint64_t words[kAddressWords + 1];
  uint32_t both;
  std::memcpy(words, addresses, 2 * sizeof(*addresses));
  std::memcpy(&both, &ports, sizeof(both));
  words[kAddressWords] = both | uint64_t{protocol} << 32;
  static_assert(sizeof(words) == sizeof(FiveTuple<F>));
  std::memcpy(static_cast<void*>(&packet.tuple<F>()), words, sizeof(words));
  packet.hash = crc32c_words(words);
}

// `addresses`: source and destination, in the header.
template <class F>
void parse_l4(Packet& packet, const typename F::Address* addresses, uint8_t protocol) {
  PortsHeader ports{};
  if (packet.fragment != FragmentKind::later) {
    const uint8_t* l4 = packet.data + packet.l4_offset;
    if (!take_l4_header<F>(packet, protocol, l4, l4_length(packet))) {
      return packet.drop(DropReason::malformed_l4);
    }
    if (packet.type != PacketClass::nd) packet.type = class_of<F>(protocol, l4);
    if (packet.type == PacketClass::icmp_error && packet.fragment != FragmentKind::none) {
      return packet.drop(DropReason::malformed_fragment);
    }
    if (has_flow(packet.type)) ports = ports_of<F>(packet.type, l4);
  }
  set_tuple<F>(packet, addresses, ports, protocol);
}

}  // namespace sluice
