// SPDX-License-Identifier: Apache-2.0
// The one table of drop reasons. Counters, metrics, docs and both engines read it: the TypeScript
// twin (lib/engine/reasons.ts) and docs/drop-reasons.md are generated from this file by
// `npm run generate`, and a test holds them to it.
//
// Row: symbol, cause, remedy. Append only: the index is the counter's offset.
#pragma once

#include <cstdint>

namespace sluice {

// clang-format off
#define SLUICE_DROP_REASONS(X)                                                                                                                       \
  X(malformed_ethernet, "Frame shorter than an Ethernet header", "Look at the peer's driver")                                                        \
  X(unsupported_ethertype, "Neither IPv4 nor ARP", "None, unless the peer is meant to speak IPv4 untagged")                                          \
  X(mac_not_ours, "Unicast frame for another station", "Point the sender's neighbour entry at the interface's MAC")                                  \
  X(l2_broadcast, "IPv4 packet in a broadcast or multicast frame (RFC 1122, 3.3.6)", "None: broadcast is not forwarded")                             \
  X(malformed_ipv4, "IPv4 header with a wrong version, header length or total length", "Look at the sender")                                         \
  X(bad_ipv4_checksum, "IPv4 header checksum does not match", "Look for corruption, or for checksum offload left unfinished by the peer")            \
  X(martian_source, "Source address that no sender may use: 0/8, 127/8, multicast, broadcast, or one of our own (RFC 1812, 5.3.7)", "Look at the sender; somebody may be spoofing") \
  X(martian_destination, "Destination address that is not forwarded: 0/8, 127/8, multicast or broadcast", "None: multicast is not forwarded")        \
  X(fragment, "IPv4 fragment", "Lower the sender's datagram size below the MTU")                                                                     \
  X(malformed_l4, "TCP, UDP or ICMP header cut short, or lengths that contradict each other", "Look at the sender")                                  \
  X(malformed_arp, "ARP packet cut short, not Ethernet/IPv4, or with a group sender MAC", "Look at the sender")                                      \
  X(arp_not_for_us, "ARP request or reply that concerns another station", "None: normal on a shared segment")                                        \
  X(arp_absorbed, "ARP reply or announcement taken in: the neighbour table has learned from it", "None: normal")                                     \
  X(service_port_unknown, "The address is a service's, the port and protocol are not", "Use a port that the service declares")                       \
  X(no_backend, "The service has no backend that may serve", "Look at the service's endpoints")                                                      \
  X(tcp_no_flow, "TCP RST or FIN for a service without a flow", "None: the connection is gone")                                                      \
  X(flow_table_full, "No room for another connection", "Raise the flow capacity")                                                                    \
  X(flow_collision, "Another connection already owns the reply's five-tuple", "Use another source port")                                             \
  X(hairpin, "A backend reached itself through a service", "None yet: needs source NAT")                                                             \
  X(not_for_host, "Packet for one of our own addresses that nothing here serves", "None: only ICMP echo is answered")                                \
  X(ttl_expired, "TTL reached zero", "Look for a routing loop")                                                                                      \
  X(no_route, "No route to the destination", "Add a route")                                                                                          \
  X(interface_down, "The route's interface has no peer", "Start the peer")                                                                           \
  X(mtu_exceeded, "Packet longer than the egress interface's MTU", "Lower the sender's MTU")                                                         \
  X(neighbour_unresolved, "The next hop did not answer ARP in time", "Look at the next hop, or give its MAC with mac=")                              \
  X(neighbour_queue_full, "Too many packets wait for ARP already", "Look at the next hop, or give its MAC with mac=")                                \
  X(neighbour_table_full, "No room for another neighbour", "Raise the neighbour capacity")                                                           \
  X(tx_full, "The peer's ring had no room", "The receiver is too slow, or lower the load")                                                           \
  X(handoff_full, "The ring to the worker that owns the egress interface had no room", "Spread the interfaces over the workers")                     \
  X(interface_removed, "The packet was under way when its interface was removed", "None")
// clang-format on

enum class DropReason : uint8_t {
#define X(symbol, cause, remedy) symbol,
  SLUICE_DROP_REASONS(X)
#undef X
};

inline constexpr const char* kDropReasonNames[] = {
#define X(symbol, cause, remedy) #symbol,
    SLUICE_DROP_REASONS(X)
#undef X
};

inline constexpr uint32_t kDropReasonCount = sizeof(kDropReasonNames) / sizeof(kDropReasonNames[0]);

}  // namespace sluice
