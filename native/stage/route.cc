// SPDX-License-Identifier: Apache-2.0
#include "stage/route.h"

#include "packet/ip.h"
#include "stage/reject.h"

namespace sluice {
namespace {

template <class F>
void route(Packet& packet, Context& context) {
  Heading<F> heading{packet.tuple<F>().destination, {}};
  if (packet.flow != kNoFlow) {
    const FlowEntry<F>& entry = context.flows<F>().entry(packet.flow);
    if (!packet.related &&
        is_untranslatable<F>(packet, entry.source_port, entry.destination_port)) {
      return packet.drop(DropReason::fragment_untranslatable);
    }
    heading = heading_of<F>(entry, (packet.flow & 1) == 0, *context.snapshot);
  }
  const std::optional<DropReason> reason = find_way<F>(packet, heading, *context.snapshot);
  if (reason) turn_back<F>(packet, *reason, context);
}

}  // namespace

template <class F>
bool is_untranslatable(const Packet& packet, be16 source_port, be16 destination_port) {
  const FiveTuple<F>& tuple = packet.tuple<F>();
  return packet.type == PacketClass::sctp && packet.fragment == FragmentKind::first &&
         (tuple.source_port != source_port || tuple.destination_port != destination_port);
}

template <class F>
Heading<F> heading_of(const FlowEntry<F>& entry, bool forward, const Snapshot& snapshot) {
  if (!forward || (entry.marks & kOneWay) == 0) return {entry.destination, {}};
  const bool is_there = snapshot.is_backend(entry.backend_slot, entry.backend_serial);
  return {entry.destination, is_there ? snapshot.backends[entry.backend_slot].group : kNoGroup};
}

template <class F>
std::optional<DropReason> find_way(Packet& packet, const Heading<F>& heading,
                                   const Snapshot& snapshot) {
  packet.next_hop = kNoNextHop;
  packet.to_host = !heading.through && snapshot.is_host<F>(heading.destination);
  if (!packet.to_host && lifetime(*ip_header<F>(packet.data)) <= 1) return DropReason::ttl_expired;
  const Snapshot::Way way = heading.through
                                ? snapshot.choose(*heading.through, packet.hash)
                                : snapshot.find_way<F>(heading.destination, packet.hash);
  if (way.next_hop == kNoNextHop) return DropReason::no_route;
  packet.next_hop = way.next_hop;
  packet.detour = way.detour;
  packet.out_interface = snapshot.next_hops[way.next_hop].interface;
  if (!snapshot.is_usable(packet.out_interface)) return DropReason::interface_down;
  if (packet.l3_length > snapshot.interfaces[packet.out_interface].mtu) {
    return DropReason::mtu_exceeded;
  }
  return {};
}

template <class F>
void run_route(Burst& burst, Context& context) {
  for (uint32_t i = 0; i < burst.count; i++) {
    Packet& packet = burst.packets[i];
    if (is_pending<F>(packet)) route<F>(packet, context);
  }
}

template void run_route<Ipv4>(Burst&, Context&);
template void run_route<Ipv6>(Burst&, Context&);
template bool is_untranslatable<Ipv4>(const Packet&, be16, be16);
template bool is_untranslatable<Ipv6>(const Packet&, be16, be16);
template Heading<Ipv4> heading_of<Ipv4>(const FlowEntry<Ipv4>&, bool, const Snapshot&);
template Heading<Ipv6> heading_of<Ipv6>(const FlowEntry<Ipv6>&, bool, const Snapshot&);
template std::optional<DropReason> find_way<Ipv4>(Packet&, const Heading<Ipv4>&, const Snapshot&);
template std::optional<DropReason> find_way<Ipv6>(Packet&, const Heading<Ipv6>&, const Snapshot&);

}  // namespace sluice
