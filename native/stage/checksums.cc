// SPDX-License-Identifier: Apache-2.0
#include "stage/checksums.h"

#include "base/checksum.h"
#include "base/sctp_checksum.h"
#include "packet/ip.h"

namespace sluice {
namespace {

// Whether the field holds the pseudo header's sum, and that is not the packet's checksum by chance.
bool is_unfinished(be16 field, uint64_t pseudo, uint64_t sum) {
  return field.raw == fold(pseudo) && fold(sum) != 0xffff;
}

// `length`: of the L4 header and what belongs to it.
template <class F>
be16 finished(const Packet& packet, be16 field, uint32_t length) {
  const FiveTuple<F>& tuple = packet.tuple<F>();
  const uint64_t pseudo = pseudo_sum<F>(tuple.source, tuple.destination, tuple.protocol, length);
  const uint64_t sum = pseudo + checksum_sum(packet.data + packet.l4_offset, length);
  if (!is_unfinished(field, pseudo, sum)) return field;
  const auto without_field = static_cast<uint16_t>(~field.raw);
  return {static_cast<uint16_t>(~fold(sum + without_field))};
}

template <class F>
void finish_tcp(Packet& packet) {
  auto* tcp = header_at<TcpHeader>(packet.data, packet.l4_offset);
  tcp->checksum = finished<F>(packet, tcp->checksum, l4_length(packet));
}

template <class F>
void finish_udp(Packet& packet) {
  auto* udp = header_at<UdpHeader>(packet.data, packet.l4_offset);
  if (udp->checksum.raw == 0) return;
  const be16 checksum = finished<F>(packet, udp->checksum, udp->length.host());
  udp->checksum = checksum.raw == 0 ? be16{0xffff} : checksum;
}

void finish_sctp(Packet& packet) {
  auto* sctp = header_at<SctpHeader>(packet.data, packet.l4_offset);
  if (sctp->checksum.raw != 0) return;
  sctp->checksum = sctp_checksum(packet.data + packet.l4_offset, l4_length(packet));
}

}  // namespace

template <class F>
void finish_checksums(Packet& packet) {
  if (packet.fate != Fate::pending || packet.fragment != FragmentKind::none) return;
  if (packet.type == PacketClass::tcp) finish_tcp<F>(packet);
  if (packet.type == PacketClass::udp) finish_udp<F>(packet);
  if (packet.type == PacketClass::sctp) finish_sctp(packet);
}

template void finish_checksums<Ipv4>(Packet& packet);
template void finish_checksums<Ipv6>(Packet& packet);

}  // namespace sluice
