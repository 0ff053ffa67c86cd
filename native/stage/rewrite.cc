// SPDX-License-Identifier: Apache-2.0
#include "stage/rewrite.h"

#include "base/sctp_checksum.h"
#include "packet/checksum_changes.h"
#include "packet/l4.h"
#include "stage/rewrite_error.h"

namespace sluice {
namespace {

template <class F>
void translate_echo(Packet& packet, const FlowEntry<F>& entry) {
  auto* icmp = header_at<IcmpHeader>(packet.data, packet.l4_offset);
  icmp->identifier = identifier_of(entry.source_port, entry.destination_port);
  icmp->checksum = update_checksum(icmp->checksum, entry.way.l4_delta);
}

template <class F>
void translate_sctp(Packet& packet, const FlowEntry<F>& entry) {
  uint32_t before, after;
  std::memcpy(&before, packet.data + packet.l4_offset, sizeof(before));
  write_ports<F>(packet, entry);
  std::memcpy(&after, packet.data + packet.l4_offset, sizeof(after));
  if (before == after) return;
  auto* sctp = header_at<SctpHeader>(packet.data, packet.l4_offset);
  sctp->checksum = update_sctp_checksum(sctp->checksum, before ^ after, l4_length(packet));
}

template <class F>
void translate_l4(Packet& packet, const FlowEntry<F>& entry) {
  switch (packet.type) {
    case PacketClass::tcp:
      return translate_tcp<F>(packet, entry, entry.way.l4_delta);
    case PacketClass::udp:
      return translate_udp<F>(packet, entry, entry.way.l4_delta);
    case PacketClass::sctp:
      return translate_sctp<F>(packet, entry);
    default:
      return translate_echo<F>(packet, entry);
  }
}

template <class F>
void count_down(typename Wire<F>::Header& ip) {
  lifetime(ip)--;
  // The TTL is the upper byte of its word.
  update_header_checksum(ip, checksum_delta(be16::from_host(1 << 8), be16{0}));
}

template <class F>
void translate(Packet& packet, const FlowEntry<F>& entry) {
  if (packet.related) return translate_error<F>(packet, entry);
  auto& ip = *ip_header<F>(packet.data);
  ip.source = entry.source;
  ip.destination = entry.destination;
  update_header_checksum(ip, ip_delta(entry));
  if (packet.fragment != FragmentKind::later) translate_l4<F>(packet, entry);
}

}  // namespace

template <class F>
void run_rewrite(Burst& burst, Context& context) {
  const FlowTable<F>& flows = context.flows<F>();
  for (uint32_t i = 0; i < burst.count; i++) {
    Packet& packet = burst.packets[i];
    if (!is_pending<F>(packet)) continue;
    if (!packet.to_host) count_down<F>(*ip_header<F>(packet.data));
    if (packet.flow != kNoFlow) translate<F>(packet, flows.entry(packet.flow));
  }
}

template void run_rewrite<Ipv4>(Burst&, Context&);
template void run_rewrite<Ipv6>(Burst&, Context&);

}  // namespace sluice
