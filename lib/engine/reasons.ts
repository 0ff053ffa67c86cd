// SPDX-License-Identifier: Apache-2.0
// Generated from native/base/reasons.h by `npm run generate`. Do not edit.

/** Names of the drop reasons, in counter order. Causes and remedies: docs/drop-reasons.md. */
export const DROP_REASONS = [
  'malformed_ethernet',
  'unsupported_ethertype',
  'mac_not_ours',
  'l2_broadcast',
  'malformed_ipv4',
  'bad_ipv4_checksum',
  'martian_source',
  'martian_destination',
  'fragment',
  'malformed_l4',
  'malformed_arp',
  'arp_not_for_us',
  'arp_absorbed',
  'service_port_unknown',
  'no_backend',
  'tcp_no_flow',
  'flow_table_full',
  'flow_collision',
  'hairpin',
  'not_for_host',
  'ttl_expired',
  'no_route',
  'interface_down',
  'mtu_exceeded',
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
