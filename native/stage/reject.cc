// SPDX-License-Identifier: Apache-2.0
#include "stage/reject.h"

#include <algorithm>
#include <cstring>

#include "packet/ip.h"
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
void write_ip(Frame& frame, be32 source, be32 destination, uint8_t protocol, uint32_t length) {
  auto* ip = ip_header<Ipv4>(frame.data);
  *ip = {.version_ihl = 0x45,
         .dscp_ecn = protocol == kProtocolIcmp ? kInternetControl : uint8_t{0},
         .total_length = be16::from_host(static_cast<uint16_t>(sizeof(*ip) + length)),
         .identification = {},
         .flags_fragment = be16::from_host(kIpv4DontFragment),
         .ttl = kLifetime,
         .protocol = protocol,
         .checksum = {},
         .source = source,
         .destination = destination};
  ip->checksum = full_checksum(frame.data + kEthernetBytes, sizeof(*ip));
}
void write_ip(Frame& frame, const Address& source, const Address& destination, uint8_t protocol,
              uint32_t length) {
  *ip_header<Ipv6>(frame.data) = {.version_class_label = be32::from_host(kIpv6Version),
                                  .payload_length = be16::from_host(static_cast<uint16_t>(length)),
                                  .next_header = protocol,
                                  .hop_limit = kLifetime,
                                  .source = source,
                                  .destination = destination};
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
  write_ip(frame, tuple.destination, tuple.source, kProtocolTcp, sizeof(TcpHeader));
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

// `mtu`: 0 but where the kind says it.
template <class F>
void write_error(Frame& frame, const Packet& packet, const typename F::Address& source,
                 IcmpKind kind, uint16_t mtu) {
  const uint32_t quoted = std::min(packet.l3_length, Wire<F>::kQuoted);
  const uint32_t length = sizeof(IcmpHeader) + quoted;
  const typename F::Address& destination = packet.tuple<F>().source;
  write_ip(frame, source, destination, Wire<F>::kIcmp, length);
  auto* icmp = header_at<IcmpHeader>(frame.data, kL4At<F>);
  // The lower half of the word that says an MTU (RFC 1191, RFC 4443).
  *icmp = {kind.type, kind.code, {}, {}, be16::from_host(mtu)};
  std::memcpy(frame.data + kL4At<F> + sizeof(IcmpHeader), packet.data + kEthernetBytes, quoted);
  const uint64_t pseudo =
      F::kVersion == 4 ? 0 : pseudo_sum<F>(source, destination, Wire<F>::kIcmp, length);
  icmp->checksum = full_checksum(frame.data + kL4At<F>, length, pseudo);
  frame.length = kL4At<F> + length;
}

// `write` fills a frame, from its IP header on, that goes back to the packet's sender.
template <class F, class Write>
void tell(const Packet& packet, Context& context, Write write) {
  if (!take_token(context.budget, context.limits->icmp_rate, context.now_ms))
    return context.counters.add(WorkerCounter::icmpLimited, 1);
  Frame frame = context.outside->allocate();
  if (frame.handle == nullptr) return;
  frame.interface = packet.in_interface;
  write_ethernet<F>(frame, packet, context.snapshot->interfaces[packet.in_interface]);
  write(frame);
  context.originated.push_back(frame);
  context.counters.add(WorkerCounter::originated, 1);
}

template <class F>
IcmpKind kind_of(DropReason reason) {
  switch (reason) {
    case DropReason::ttl_expired:
      return Wire<F>::kTimeExceeded;
    case DropReason::no_route:
      return Wire<F>::kNoRoute;
    case DropReason::mtu_exceeded:
      return Wire<F>::kTooBig;
    default:
      return Wire<F>::kAddressUnreachable;
  }
}

// Address of ours that turns a packet back; null: there is none, and nobody is told. That the
// packet's source is not ours, parse has seen to, except on interfaces of scope host.
template <class F>
const typename F::Address* source_of_error(const Packet& packet, const Snapshot& snapshot) {
  if (packet.fragment == FragmentKind::later) return nullptr;
  const FiveTuple<F>& tuple = packet.tuple<F>();
  if (tuple.protocol == Wire<F>::kIcmp && packet.type != PacketClass::echo) return nullptr;
  return snapshot.source_towards<F>(packet.in_interface, tuple.source);
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
  if (may_tell<F>(packet)) {
    tell<F>(packet, context, [&](Frame& frame) {
      if (packet.type == PacketClass::tcp) return write_reset<F>(frame, packet);
      write_error<F>(frame, packet, packet.tuple<F>().destination, Wire<F>::kPortUnreachable, 0);
    });
  }
  packet.drop(reason);
}

template <class F>
bool may_turn_back(const Packet& packet, const Snapshot& snapshot) {
  return source_of_error<F>(packet, snapshot) != nullptr;
}

template <class F>
void turn_back(Packet& packet, DropReason reason, Context& context) {
  packet.drop(reason);
  const Snapshot& snapshot = *context.snapshot;
  const auto* source = source_of_error<F>(packet, snapshot);
  if (source == nullptr) return;
  const uint16_t mtu =
      reason == DropReason::mtu_exceeded ? snapshot.interfaces[packet.out_interface].mtu : 0;
  tell<F>(packet, context,
          [&](Frame& frame) { write_error<F>(frame, packet, *source, kind_of<F>(reason), mtu); });
}

template bool may_tell<Ipv4>(const Packet&);
template bool may_tell<Ipv6>(const Packet&);
template bool may_turn_back<Ipv4>(const Packet&, const Snapshot&);
template bool may_turn_back<Ipv6>(const Packet&, const Snapshot&);
template void reject<Ipv4>(Packet&, DropReason, Context&);
template void reject<Ipv6>(Packet&, DropReason, Context&);
template void turn_back<Ipv4>(Packet&, DropReason, Context&);
template void turn_back<Ipv6>(Packet&, DropReason, Context&);

}  // namespace sluice
