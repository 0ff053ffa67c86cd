// SPDX-License-Identifier: Apache-2.0
// The one table of drop reasons. Counters, metrics, docs and both engines read it: the TypeScript
// twin (lib/engine/reasons.ts) and docs/drop-reasons.md are generated from this file by
// `npm run generate`, and a test holds them to it.
//
// Row: symbol, cause, remedy. The index is the counter's offset.
#pragma once

#include <cstdint>

namespace sluice {

// clang-format off
#define SLUICE_DROP_REASONS(X) \
  X(malformed_ethernet, "Frame shorter than an Ethernet header", "Look at the peer's driver") \
  X(unsupported_ethertype, "Neither IPv4, IPv6 nor ARP", "None, unless the peer is meant to speak IP untagged") \
  X(mac_not_ours, "Unicast frame for another station", "Point the sender's neighbour entry at the interface's MAC") \
  X(l2_broadcast, "IP packet in a broadcast or multicast frame (RFC 1122, 3.3.6)", "None: broadcast and multicast are not forwarded") \
  X(malformed_ipv4, "IPv4 header with a wrong version, header length or total length", "Look at the sender") \
  X(bad_ipv4_checksum, "IPv4 header checksum does not match", "Look for corruption, or for checksum offload left unfinished by the peer") \
  X(malformed_ipv6, "IPv6 header with a wrong version or payload length, or extension headers out of order, cut short or too many", "Look at the sender") \
  X(routing_header, "IPv6 routing header with segments left (RFC 5095)", "None: source routing is not followed") \
  X(martian_source, "Source address that no sender may use: unspecified, loopback, multicast, broadcast, link-local in IPv6, or one of our own (RFC 1812, 5.3.7)", "Look at the sender; somebody may be spoofing. The node's own traffic needs an interface of scope host") \
  X(source_spoofed, "Source, or sender of ARP or neighbour discovery, that is none of the interface's", "Somebody may be spoofing; else name the address in the interface's sources") \
  X(martian_destination, "Destination address that is not forwarded: unspecified, loopback, multicast, broadcast, or link-local in IPv6", "None: multicast is not forwarded") \
  X(malformed_fragment, "Fragment without data, of odd length, beyond 65,535 bytes, or of an ICMP error", "Look at the sender") \
  X(malformed_l4, "TCP, UDP, SCTP or ICMP header cut short, or lengths that contradict each other", "Look at the sender") \
  X(malformed_tunnel, "Packet for one of our tunnels whose GRE or VXLAN header is malformed or asks for what is not supported", "Look at the sender's tunnel") \
  X(malformed_arp, "ARP packet cut short, not Ethernet/IPv4, or with a group sender MAC", "Look at the sender") \
  X(arp_not_for_us, "ARP request or reply that concerns another station", "None: normal on a shared segment") \
  X(arp_absorbed, "ARP reply or announcement taken in: the neighbour table has learned from it", "None: normal") \
  X(malformed_nd, "Neighbour discovery packet that RFC 4861 says to discard", "Look at the sender") \
  X(nd_not_for_us, "Neighbour or router discovery that concerns another station", "None: normal on a shared segment") \
  X(nd_absorbed, "Neighbour advertisement taken in: the neighbour table has learned from it", "None: normal") \
  X(fragment_overlap, "Fragment that overlaps with another one of its datagram, or follows one that did (RFC 5722)", "Look at the sender; somebody may be attacking") \
  X(fragment_timeout, "The first fragment of the datagram did not come in time", "Look for loss before Sluice; or raise timeouts.fragment") \
  X(fragment_table_full, "Too many datagrams in fragments at once", "Raise fragments, or lower the sender's datagram size below the MTU") \
  X(fragment_queue_full, "Too many fragments wait for the first one of their datagram, or a datagram has more than 128", "Raise fragmentPackets, or lower the sender's datagram size below the MTU") \
  X(fragment_orphan, "Later fragment for a service whose first fragment made no flow", "Look at why the first fragment was dropped") \
  X(fragment_untranslatable, "Fragment of SCTP whose ports change: the checksum covers all fragments", "Lower the SCTP path MTU, so that SCTP does the fragmenting") \
  X(icmp_error_unrelated, "ICMP error for a service that belongs to no flow", "None: the connection is gone") \
  X(source_not_allowed, "The source is in none of the service's loadBalancerSourceRanges", "Add the client's network to the ranges, if it may come in") \
  X(service_port_unknown, "The address is a service's, the port and protocol are not; the sender is told", "Use a port that the service declares") \
  X(service_address_unknown, "The address is in a service network and belongs to no service", "Look at the service's clusterIP") \
  X(policy_pending, "A pod whose policy is not known yet sends or is sent to", "None while the pod is being attached; else see why it is not among the pods") \
  X(policy_denied_egress, "A policy lets the source not go there", "Ask explain for the rule; change the policy if it should pass") \
  X(policy_denied_ingress, "A policy lets the source not come in", "Ask explain for the rule; change the policy if it should pass") \
  X(no_backend, "The service has no backend that may serve; the sender is told", "Look at the service's endpoints") \
  X(no_local_backend, "The traffic policy is Local, and no backend on this node may serve", "None where a load balancer looks at the health check; else see where the endpoints are") \
  X(backend_flushed, "The connection's backend was flushed; the sender is told", "None: flushing asks for it") \
  X(tcp_no_flow, "TCP or SCTP packet for a service that neither belongs to a connection nor may begin one", "None: the connection is gone. tcpPickup lets connections be picked up midway") \
  X(flow_table_full, "No room for another connection, and none that could be given up", "Raise flows or flows6") \
  X(snat_address_missing, "No address of ours to masquerade with", "Give the egress interface or the node an address of the family") \
  X(snat_ports_exhausted, "Every source port towards the backend that was tried is taken", "Use more backends or node addresses, or widen snatPortMin to snatPortMax") \
  X(not_for_host, "Packet for one of our own addresses that nothing here serves", "Give the node an interface of scope host, if its kernel is to have it") \
  X(ttl_expired, "TTL or hop limit reached zero; the sender is told", "None where somebody traces the route; else look for a routing loop") \
  X(no_route, "No route to the destination", "Add a route") \
  X(interface_down, "The route's interface has no peer", "Start the peer") \
  X(mtu_exceeded, "Packet longer than the egress interface's MTU; the sender is told", "None where it finds the path's MTU; else lower the sender's") \
  X(tunnel_no_remote, "The route leads into a tunnel that only receives", "Give the tunnel a remote, or mend the route") \
  X(tunnel_loop, "The way to the tunnel's remote is a tunnel itself", "Add a route to the remote over a real interface") \
  X(neighbour_unresolved, "The next hop did not answer ARP or neighbour discovery in time", "Look at the next hop, or give its MAC with mac=") \
  X(neighbour_queue_full, "Too many packets wait for a neighbour already", "Look at the next hop, or give its MAC with mac=; or raise heldPackets or heldPerNeighbour") \
  X(neighbour_table_full, "No room for another neighbour", "Raise neighbours") \
  X(tx_full, "The peer's ring had no room", "The receiver is too slow, or lower the load") \
  X(handoff_full, "The ring to another worker had no room", "Spread the interfaces over the workers") \
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
