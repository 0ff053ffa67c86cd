// SPDX-License-Identifier: Apache-2.0
// Generated from native/base/reasons.h by `npm run generate`. Do not edit.

/** Names of the drop reasons, in counter order. */
export const DROP_REASONS = [
  'malformed_ethernet',
  'unsupported_ethertype',
  'mac_not_ours',
  'l2_broadcast',
  'malformed_ipv4',
  'bad_ipv4_checksum',
  'malformed_ipv6',
  'routing_header',
  'martian_source',
  'source_spoofed',
  'martian_destination',
  'malformed_fragment',
  'malformed_l4',
  'malformed_tunnel',
  'malformed_arp',
  'arp_not_for_us',
  'arp_absorbed',
  'malformed_nd',
  'nd_not_for_us',
  'nd_absorbed',
  'fragment_overlap',
  'fragment_timeout',
  'fragment_table_full',
  'fragment_queue_full',
  'fragment_orphan',
  'fragment_untranslatable',
  'icmp_error_unrelated',
  'source_not_allowed',
  'service_port_unknown',
  'service_address_unknown',
  'policy_pending',
  'policy_denied_egress',
  'policy_denied_ingress',
  'no_backend',
  'no_local_backend',
  'backend_flushed',
  'tcp_no_flow',
  'flow_table_full',
  'snat_address_missing',
  'snat_ports_exhausted',
  'not_for_host',
  'ttl_expired',
  'no_route',
  'interface_down',
  'mtu_exceeded',
  'tunnel_no_remote',
  'tunnel_loop',
  'neighbour_unresolved',
  'neighbour_queue_full',
  'neighbour_table_full',
  'tx_full',
  'handoff_full',
  'interface_removed',
] as const;

export type DropReason = (typeof DROP_REASONS)[number];

/** Index of each reason: its offset among the drop counters. */
export const DROP = Object.fromEntries(DROP_REASONS.map((name, index) => [name, index])) as Record<
  DropReason,
  number
>;

/** What each reason means and what helps, as in docs/drop-reasons.md. */
export const DROP_EXPLANATIONS: Readonly<Record<DropReason, { cause: string; remedy: string }>> = {
  malformed_ethernet: {
    cause: 'Frame shorter than an Ethernet header',
    remedy: "Look at the peer's driver",
  },
  unsupported_ethertype: {
    cause: 'Neither IPv4, IPv6 nor ARP',
    remedy: 'None, unless the peer is meant to speak IP untagged',
  },
  mac_not_ours: {
    cause: 'Unicast frame for another station',
    remedy: "Point the sender's neighbour entry at the interface's MAC",
  },
  l2_broadcast: {
    cause: 'IP packet in a broadcast or multicast frame (RFC 1122, 3.3.6)',
    remedy: 'None: broadcast and multicast are not forwarded',
  },
  malformed_ipv4: {
    cause: 'IPv4 header with a wrong version, header length or total length',
    remedy: 'Look at the sender',
  },
  bad_ipv4_checksum: {
    cause: 'IPv4 header checksum does not match',
    remedy: 'Look for corruption, or for checksum offload left unfinished by the peer',
  },
  malformed_ipv6: {
    cause:
      'IPv6 header with a wrong version or payload length, or extension headers out of order, cut short or too many',
    remedy: 'Look at the sender',
  },
  routing_header: {
    cause: 'IPv6 routing header with segments left (RFC 5095)',
    remedy: 'None: source routing is not followed',
  },
  martian_source: {
    cause:
      'Source address that no sender may use: unspecified, loopback, multicast, broadcast, link-local in IPv6, or one of our own (RFC 1812, 5.3.7)',
    remedy:
      "Look at the sender; somebody may be spoofing. The node's own traffic needs an interface of scope host",
  },
  source_spoofed: {
    cause: "Source, or sender of ARP or neighbour discovery, that is none of the interface's",
    remedy: "Somebody may be spoofing; else name the address in the interface's sources",
  },
  martian_destination: {
    cause:
      'Destination address that is not forwarded: unspecified, loopback, multicast, broadcast, or link-local in IPv6',
    remedy: 'None: multicast is not forwarded',
  },
  malformed_fragment: {
    cause: 'Fragment without data, of odd length, beyond 65,535 bytes, or of an ICMP error',
    remedy: 'Look at the sender',
  },
  malformed_l4: {
    cause: 'TCP, UDP, SCTP or ICMP header cut short, or lengths that contradict each other',
    remedy: 'Look at the sender',
  },
  malformed_tunnel: {
    cause:
      'Packet for one of our tunnels whose GRE or VXLAN header is malformed or asks for what is not supported',
    remedy: "Look at the sender's tunnel",
  },
  malformed_arp: {
    cause: 'ARP packet cut short, not Ethernet/IPv4, or with a group sender MAC',
    remedy: 'Look at the sender',
  },
  arp_not_for_us: {
    cause: 'ARP request or reply that concerns another station',
    remedy: 'None: normal on a shared segment',
  },
  arp_absorbed: {
    cause: 'ARP reply or announcement taken in: the neighbour table has learned from it',
    remedy: 'None: normal',
  },
  malformed_nd: {
    cause: 'Neighbour discovery packet that RFC 4861 says to discard',
    remedy: 'Look at the sender',
  },
  nd_not_for_us: {
    cause: 'Neighbour or router discovery that concerns another station',
    remedy: 'None: normal on a shared segment',
  },
  nd_absorbed: {
    cause: 'Neighbour advertisement taken in: the neighbour table has learned from it',
    remedy: 'None: normal',
  },
  fragment_overlap: {
    cause:
      'Fragment that overlaps with another one of its datagram, or follows one that did (RFC 5722)',
    remedy: 'Look at the sender; somebody may be attacking',
  },
  fragment_timeout: {
    cause: 'The first fragment of the datagram did not come in time',
    remedy: 'Look for loss before Sluice; or raise timeouts.fragment',
  },
  fragment_table_full: {
    cause: 'Too many datagrams in fragments at once',
    remedy: "Raise fragments, or lower the sender's datagram size below the MTU",
  },
  fragment_queue_full: {
    cause:
      'Too many fragments wait for the first one of their datagram, or a datagram has more than 128',
    remedy: "Raise fragmentPackets, or lower the sender's datagram size below the MTU",
  },
  fragment_orphan: {
    cause: 'Later fragment for a service whose first fragment made no flow',
    remedy: 'Look at why the first fragment was dropped',
  },
  fragment_untranslatable: {
    cause: 'Fragment of SCTP whose ports change: the checksum covers all fragments',
    remedy: 'Lower the SCTP path MTU, so that SCTP does the fragmenting',
  },
  icmp_error_unrelated: {
    cause: 'ICMP error for a service that belongs to no flow',
    remedy: 'None: the connection is gone',
  },
  source_not_allowed: {
    cause: "The source is in none of the service's loadBalancerSourceRanges",
    remedy: "Add the client's network to the ranges, if it may come in",
  },
  service_port_unknown: {
    cause: "The address is a service's, the port and protocol are not; the sender is told",
    remedy: 'Use a port that the service declares',
  },
  service_address_unknown: {
    cause: 'The address is in a service network and belongs to no service',
    remedy: "Look at the service's clusterIP",
  },
  policy_pending: {
    cause: 'A pod whose policy is not known yet sends or is sent to',
    remedy: 'None while the pod is being attached; else see why it is not among the pods',
  },
  policy_denied_egress: {
    cause: 'A policy lets the source not go there',
    remedy: 'Ask explain for the rule; change the policy if it should pass',
  },
  policy_denied_ingress: {
    cause: 'A policy lets the source not come in',
    remedy: 'Ask explain for the rule; change the policy if it should pass',
  },
  no_backend: {
    cause: 'The service has no backend that may serve; the sender is told',
    remedy: "Look at the service's endpoints",
  },
  no_local_backend: {
    cause: 'The traffic policy is Local, and no backend on this node may serve',
    remedy:
      'None where a load balancer looks at the health check; else see where the endpoints are',
  },
  backend_flushed: {
    cause: "The connection's backend was flushed; the sender is told",
    remedy: 'None: flushing asks for it',
  },
  tcp_no_flow: {
    cause:
      'TCP or SCTP packet for a service that neither belongs to a connection nor may begin one',
    remedy: 'None: the connection is gone. tcpPickup lets connections be picked up midway',
  },
  flow_table_full: {
    cause: 'No room for another connection, and none that could be given up',
    remedy: 'Raise flows or flows6',
  },
  snat_address_missing: {
    cause: 'No address of ours to masquerade with',
    remedy: 'Give the egress interface or the node an address of the family',
  },
  snat_ports_exhausted: {
    cause: 'Every source port towards the backend that was tried is taken',
    remedy: 'Use more backends or node addresses, or widen snatPortMin to snatPortMax',
  },
  not_for_host: {
    cause: 'Packet for one of our own addresses that nothing here serves',
    remedy: 'Give the node an interface of scope host, if its kernel is to have it',
  },
  ttl_expired: {
    cause: 'TTL or hop limit reached zero; the sender is told',
    remedy: 'None where somebody traces the route; else look for a routing loop',
  },
  no_route: {
    cause: 'No route to the destination',
    remedy: 'Add a route',
  },
  interface_down: {
    cause: "The route's interface has no peer",
    remedy: 'Start the peer',
  },
  mtu_exceeded: {
    cause: "Packet longer than the egress interface's MTU; the sender is told",
    remedy: "None where it finds the path's MTU; else lower the sender's",
  },
  tunnel_no_remote: {
    cause: 'The route leads into a tunnel that only receives',
    remedy: 'Give the tunnel a remote, or mend the route',
  },
  tunnel_loop: {
    cause: "The way to the tunnel's remote is a tunnel itself",
    remedy: 'Add a route to the remote over a real interface',
  },
  neighbour_unresolved: {
    cause: 'The next hop did not answer ARP or neighbour discovery in time',
    remedy: 'Look at the next hop, or give its MAC with mac=',
  },
  neighbour_queue_full: {
    cause: 'Too many packets wait for a neighbour already',
    remedy:
      'Look at the next hop, or give its MAC with mac=; or raise heldPackets or heldPerNeighbour',
  },
  neighbour_table_full: {
    cause: 'No room for another neighbour',
    remedy: 'Raise neighbours',
  },
  tx_full: {
    cause: "The peer's ring had no room",
    remedy: 'The receiver is too slow, or lower the load',
  },
  handoff_full: {
    cause: 'The ring to another worker had no room',
    remedy: 'Spread the interfaces over the workers',
  },
  interface_removed: {
    cause: 'The packet was under way when its interface was removed',
    remedy: 'None',
  },
};
