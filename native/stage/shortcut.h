// SPDX-License-Identifier: Apache-2.0
// Theory of operation. Most packets belong to a connection of which nothing is new that they would
// meet: not what the program says of its backend, its policy and its way, nor that it has ended. An
// entry remembers the adjacency that its latest packet through all stages has found, with the stamp
// of the snapshot; a plain packet (parse_plain) that finds the stamp still good leaves at once. It
// meets what it would have met in route, rewrite and neighbour, to the byte; any doubt sends it
// through the stages. What that is worth: ARCHITECTURE.md, "Speed".
#pragma once

#include <cstring>

#include "packet/checksum_changes.h"
#include "packet/ip.h"
#include "stage/context.h"
#include "stage/rewrite.h"

namespace sluice {

// Addresses, and one hop less to live. Of the header's words some change for certain, so that words
// that stay need not be told from the others (RFC 1624: both zeros are one).
inline void rewrite_ip(Ipv4Header& ip, const FlowEntry<Ipv4>& entry) {
  const uint64_t hop = checksum_delta(be16::from_host(1 << 8), be16{0});
  const uint64_t gone = uint64_t{~ip.source.raw} + ~ip.destination.raw;
  const uint64_t come = uint64_t{entry.source.raw} + entry.destination.raw;
  ip.checksum = update_checksum(ip.checksum, gone + come + hop);
  ip.source = entry.source;
  ip.destination = entry.destination;
  ip.ttl--;
}

inline void rewrite_ip(Ipv6Header& ip, const FlowEntry<Ipv6>& entry) {
  ip.source = entry.source;
  ip.destination = entry.destination;
  ip.hop_limit--;
}

// A plain packet. False: nothing was done, and it has to go through the stages. `entry`: its
// flow's.
template <class F>
bool take_shortcut(Packet& packet, FlowEntry<F>& entry, Context& context) {
  const FlowWay way = entry.load_way();
  if (way.stamp != context.snapshot->stamp || (packet.tcp_flags & (kTcpSyn | kTcpRst)) != 0 ||
      !context.flows<F>().is_lively(entry, context.now_s)) {
    return false;
  }
  auto& ip = *ip_header<F>(packet.data);
  const Adjacency& adjacency = context.adjacencies.at(way.adjacency, context);
  if (packet.l3_length > adjacency.mtu || lifetime(ip) <= 1) return false;

  FlowTable<F>::count(entry, context.now_s, packet.l3_length, packet.tcp_flags);
  rewrite_ip(ip, entry);
  if (packet.type == PacketClass::tcp) {
    translate_tcp<F>(packet, entry, way.l4_delta);
  } else {
    translate_udp<F>(packet, entry, way.l4_delta);
  }
  std::memcpy(packet.data, adjacency.addresses, sizeof(adjacency.addresses));
  packet.out_interface = adjacency.interface;
  packet.fate = Fate::forward;
  return true;
}

// For a packet that neighbour has just sent on its way.
template <class F>
void remember_way(const Packet& packet, uint16_t adjacency, Context& context) {
  if (packet.flow == kNoFlow || packet.related || adjacency == kNoAdjacency) return;
  // The shortcut knows one fate, and counts down.
  if (packet.to_host) return;
  // Where the flow belongs its packets go again as soon as the link is up: no commit will say so.
  if (packet.detour) return;
  FlowEntry<F>& entry = context.flows<F>().entry(packet.flow);
  // The first packet of a flow to a flushed backend; the next one ends it.
  if (entry.backend_slot != kNoBackend && context.snapshot->backends[entry.backend_slot].flushed) {
    return;
  }
  entry.store_way({context.snapshot->stamp, adjacency, entry.load_way().l4_delta});
}

}  // namespace sluice
