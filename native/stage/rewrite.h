// SPDX-License-Identifier: Apache-2.0
// Theory of operation. Every packet but those to the host has one hop less to live; those of a flow
// get the addresses and ports of its entry. Checksums are updated by what the entry has in store;
// SCTP's, which is no sum, by the CRC of what changes (docs/packet-path.md, "rewrite").
#pragma once

#include "packet/burst.h"
#include "packet/checksum_changes.h"
#include "stage/context.h"

namespace sluice {

template <class F>
void run_rewrite(Burst& burst, Context& context);

// What the addresses of an entry's packets add to the delta of their header's checksum.
template <class F>
uint64_t ip_delta(const FlowEntry<F>& entry) {
  return change(entry.key.source, entry.source) + change(entry.key.destination, entry.destination);
}

template <class F>
void write_ports(Packet& packet, const FlowEntry<F>& entry) {
  *header_at<PortsHeader>(packet.data, packet.l4_offset) = {entry.source_port,
                                                            entry.destination_port};
}

// Ports and checksum. `delta`: the entry's l4_delta.
template <class F>
void translate_tcp(Packet& packet, const FlowEntry<F>& entry, uint16_t delta) {
  write_ports<F>(packet, entry);
  auto* tcp = header_at<TcpHeader>(packet.data, packet.l4_offset);
  tcp->checksum = update_checksum(tcp->checksum, delta);
}
template <class F>
void translate_udp(Packet& packet, const FlowEntry<F>& entry, uint16_t delta) {
  write_ports<F>(packet, entry);
  auto* udp = header_at<UdpHeader>(packet.data, packet.l4_offset);
  udp->checksum = update_udp_checksum(udp->checksum, delta);
}

}  // namespace sluice
