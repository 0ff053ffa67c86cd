// SPDX-License-Identifier: Apache-2.0
#include "stage/rewrite_error.h"

#include "packet/checksum_changes.h"
#include "packet/l4.h"
#include "stage/related.h"
#include "stage/rewrite.h"

namespace sluice {
namespace {

// What the quoted L4 header adds to the delta of the error's checksum.
template <class F>
uint64_t translate_quoted_l4(Packet& packet, const Quote<F>& quote, const FlowEntry<F>& entry) {
  if (quote.type == PacketClass::echo) {
    auto* icmp = header_at<IcmpHeader>(packet.data, quote.l4_offset);
    return replace(icmp->identifier, identifier_of(entry.source_port, entry.destination_port)) +
           replace(icmp->checksum, update_checksum(icmp->checksum, entry.way.l4_delta));
  }
  auto* ports = header_at<PortsHeader>(packet.data, quote.l4_offset);
  uint64_t delta = replace(ports->source, entry.destination_port) +
                   replace(ports->destination, entry.source_port);
  if (quote.type == PacketClass::udp) {
    auto* udp = header_at<UdpHeader>(packet.data, quote.l4_offset);
    delta += replace(udp->checksum, update_udp_checksum(udp->checksum, entry.way.l4_delta));
  } else if (quote.type == PacketClass::tcp && packet.length - quote.l4_offset >= kTcpChecksumEnd) {
    auto* tcp = header_at<TcpHeader>(packet.data, quote.l4_offset);
    delta += replace(tcp->checksum, update_checksum(tcp->checksum, entry.way.l4_delta));
  }
  return delta;
}

}  // namespace

template <class F>
void translate_error(Packet& packet, const FlowEntry<F>& entry) {
  const Quote<F> quote = read_quote<F>(packet);
  auto& quoted = *header_at<typename Wire<F>::Header>(packet.data, quote.ip_offset);
  uint64_t icmp_delta = translate_quoted_l4<F>(packet, quote, entry);
  icmp_delta += replace(quoted.source, entry.destination);
  icmp_delta += replace(quoted.destination, entry.source);
  icmp_delta += update_header_checksum(quoted, ip_delta(entry));

  auto& ip = *ip_header<F>(packet.data);
  uint64_t outer_delta = replace(ip.destination, entry.destination);
  if (ip.source == entry.key.source) outer_delta += replace(ip.source, entry.source);
  update_header_checksum(ip, outer_delta);
  if constexpr (F::kVersion == 6) icmp_delta += outer_delta;  // the pseudo header
  auto* icmp = header_at<IcmpHeader>(packet.data, packet.l4_offset);
  icmp->checksum = update_checksum(icmp->checksum, icmp_delta);
}

template void translate_error<Ipv4>(Packet&, const FlowEntry<Ipv4>&);
template void translate_error<Ipv6>(Packet&, const FlowEntry<Ipv6>&);

}  // namespace sluice
