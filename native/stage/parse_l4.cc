// SPDX-License-Identifier: Apache-2.0
#include "stage/parse_l4.h"

#include "packet/l4.h"

namespace sluice {
namespace {

// The types of SCTP's chunks that open and end an association (RFC 9260, 3.2), as TCP flags.
uint8_t flags_of_chunk(uint8_t type) {
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

// Whether the header is whole and its lengths agree with the packet's.
template <class F>
bool is_well_formed(const Packet& packet) {
  const uint32_t room = l4_length(packet);
  const uint8_t* l4 = packet.data + packet.l4_offset;
  switch (packet.tuple<F>().protocol) {
    case kProtocolTcp: {
      if (room < sizeof(TcpHeader)) return false;
      const uint32_t header = (header_at<TcpHeader>(l4, 0)->data_offset >> 4) * 4u;
      return header >= sizeof(TcpHeader) && header <= room;
    }
    case kProtocolUdp: {
      if (room < sizeof(UdpHeader)) return false;
      const uint32_t length = header_at<UdpHeader>(l4, 0)->length.host();
      return length >= sizeof(UdpHeader) &&
             (length <= room || packet.fragment == FragmentKind::first);
    }
    case kProtocolSctp:
      return room >= sizeof(SctpHeader);
    case Wire<F>::kIcmp:
      return room >= sizeof(IcmpHeader);
    default:
      return true;
  }
}

uint8_t flags_of(PacketClass type, const uint8_t* l4) {
  if (type == PacketClass::tcp) return header_at<TcpHeader>(l4, 0)->flags;
  if (type == PacketClass::sctp) return flags_of_chunk(header_at<SctpHeader>(l4, 0)->chunk_type);
  return 0;
}

}  // namespace

template <class F>
void parse_l4(Packet& packet) {
  if (packet.fragment == FragmentKind::later) return;
  if (!is_well_formed<F>(packet)) return packet.drop(DropReason::malformed_l4);
  if (packet.type == PacketClass::nd) return;
  const uint8_t* l4 = packet.data + packet.l4_offset;
  packet.type = class_of<F>(packet.tuple<F>().protocol, l4);
  if (packet.type == PacketClass::icmp_error && packet.fragment != FragmentKind::none) {
    return packet.drop(DropReason::malformed_fragment);
  }
  packet.tcp_flags = flags_of(packet.type, l4);
  if (has_flow(packet.type)) take_ports<F>(packet.type, l4, packet.tuple<F>());
}

template void parse_l4<Ipv4>(Packet& packet);
template void parse_l4<Ipv6>(Packet& packet);

}  // namespace sluice
