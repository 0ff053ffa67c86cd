// SPDX-License-Identifier: Apache-2.0
#include "stage/reject.h"

#include <algorithm>
#include <cstring>

#include "packet/ip.h"
#include "stage/own_frames.h"
#include "stage/reject_budget.h"

namespace sluice {
namespace {

constexpr uint8_t kLifetime = 64;
constexpr uint8_t kInternetControl = 0xc0;  // type of service of ICMP errors (RFC 1812, 4.3.2.5)

// Ethernet back to the sender.
template <class F>
void write_ethernet(Frame& frame, const Packet& packet, const InterfaceView& view) {
  auto* ethernet = header_at<EthernetHeader>(frame.data, 0);
  std::memcpy(ethernet->destination, header_at<EthernetHeader>(packet.data, 0)->source, 6);
  std::memcpy(ethernet->source, view.mac, 6);
  ethernet->type = be16::from_host(Wire<F>::kEtherType);
}

// The IP header in front of `length` bytes of `protocol`.
void write_ip(Frame& frame, const FiveTuple<Ipv4>& tuple, uint8_t protocol, uint32_t length) {
  auto* ip = ip_header<Ipv4>(frame.data);
  *ip = {.version_ihl = 0x45,
         .dscp_ecn = protocol == kProtocolIcmp ? kInternetControl : uint8_t{0},
         .total_length = be16::from_host(static_cast<uint16_t>(sizeof(*ip) + length)),
         .identification = {},
         .flags_fragment = be16::from_host(kIpv4DontFragment),
         .ttl = kLifetime,
         .protocol = protocol,
         .checksum = {},
         .source = tuple.destination,
         .destination = tuple.source};
  ip->checksum = full_checksum(frame.data + kEthernetBytes, sizeof(*ip));
}
void write_ip(Frame& frame, const FiveTuple<Ipv6>& tuple, uint8_t protocol, uint32_t length) {
  *ip_header<Ipv6>(frame.data) = {.version_class_label = be32::from_host(kIpv6Version),
                                  .payload_length = be16::from_host(static_cast<uint16_t>(length)),
                                  .next_header = protocol,
                                  .hop_limit = kLifetime,
                                  .source = tuple.destination,
                                  .destination = tuple.source};
}

template <class F>
constexpr uint32_t kL4At = kEthernetBytes + uint32_t{sizeof(typename Wire<F>::Header)};

template <class F>
void write_reset(Frame& frame, const Packet& packet) {
  const auto& offending = *header_at<TcpHeader>(packet.data, packet.l4_offset);
  const uint32_t payload = l4_length(packet) - (offending.data_offset >> 4) * 4u;
  const uint32_t occupied = payload + ((offending.flags & kTcpSyn) ? 1 : 0) +
                            ((offending.flags & kTcpFin) ? 1 : 0);  // of the sequence space
  const bool acknowledges = offending.flags & kTcpAck;
  const FiveTuple<F>& tuple = packet.tuple<F>();
  write_ip(frame, tuple, kProtocolTcp, sizeof(TcpHeader));
  auto* tcp = header_at<TcpHeader>(frame.data, kL4At<F>);
  *tcp = {.source_port = tuple.destination_port,
          .destination_port = tuple.source_port,
          .sequence = acknowledges ? offending.acknowledgement : be32{},
          .acknowledgement =
              acknowledges ? be32{} : be32::from_host(offending.sequence.host() + occupied),
          .data_offset = 5 << 4,
          .flags = static_cast<uint8_t>(acknowledges ? kTcpRst : kTcpRst | kTcpAck),
          .window = {},
          .checksum = {},
          .urgent = {}};
  tcp->checksum = full_checksum(
      frame.data + kL4At<F>, sizeof(TcpHeader),
      pseudo_sum<F>(tuple.destination, tuple.source, kProtocolTcp, sizeof(TcpHeader)));
  frame.length = kL4At<F> + sizeof(TcpHeader);
}

template <class F>
void write_unreachable(Frame& frame, const Packet& packet) {
  const uint32_t quoted = std::min(packet.l3_length, Wire<F>::kQuoted);
  const uint32_t length = sizeof(IcmpHeader) + quoted;
  const FiveTuple<F>& tuple = packet.tuple<F>();
  write_ip(frame, tuple, Wire<F>::kIcmp, length);
  auto* icmp = header_at<IcmpHeader>(frame.data, kL4At<F>);
  *icmp = {Wire<F>::kUnreachable, Wire<F>::kPortUnreachable, {}, {}, {}};
  std::memcpy(frame.data + kL4At<F> + sizeof(IcmpHeader), packet.data + kEthernetBytes, quoted);
  const uint64_t pseudo =
      F::kVersion == 4 ? 0 : pseudo_sum<F>(tuple.destination, tuple.source, Wire<F>::kIcmp, length);
  icmp->checksum = full_checksum(frame.data + kL4At<F>, length, pseudo);
  frame.length = kL4At<F> + length;
}

template <class F>
void tell(const Packet& packet, Context& context) {
  if (!take_token(context.budget, context.limits->icmp_rate, context.now_ms))
    return context.counters.add(WorkerCounter::icmpLimited, 1);
  Frame frame = context.outside->allocate();
  if (frame.handle == nullptr) return;
  write_ethernet<F>(frame, packet, context.snapshot->interfaces[packet.in_interface]);
  if (packet.type == PacketClass::tcp) {
    write_reset<F>(frame, packet);
  } else {
    write_unreachable<F>(frame, packet);
  }
  originate_answer(frame, packet, context);
}

}  // namespace

template <class F>
bool may_tell(const Packet& packet) {
  if (packet.fragment == FragmentKind::later) return false;
  if (packet.tuple<F>().protocol == Wire<F>::kIcmp) return is_echo_request<F>(packet);
  return packet.type != PacketClass::tcp || !(packet.tcp_flags & kTcpRst);
}

template <class F>
void reject(Packet& packet, DropReason reason, Context& context) {
  if (may_tell<F>(packet)) tell<F>(packet, context);
  packet.drop(reason);
}

template bool may_tell<Ipv4>(const Packet&);
template bool may_tell<Ipv6>(const Packet&);
template void reject<Ipv4>(Packet&, DropReason, Context&);
template void reject<Ipv6>(Packet&, DropReason, Context&);

}  // namespace sluice
