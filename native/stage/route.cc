// SPDX-License-Identifier: Apache-2.0
#include "stage/route.h"

#include "packet/checksum_changes.h"
#include "packet/ip.h"

namespace sluice {
template <class F>
void route_packet(Packet& packet, const Snapshot& snapshot) {
  packet.next_hop = kNoNextHop;
  auto& ip = *ip_header<F>(packet.data);
  if (lifetime(ip) <= 1) return packet.drop(DropReason::ttl_expired);
  lifetime(ip)--;
  // The TTL is the upper byte of its word.
  update_header_checksum(ip, checksum_delta(be16::from_host(1 << 8), be16{0}));

  packet.next_hop = snapshot.of<F>().routes->lookup(ip.destination);
  if (packet.next_hop == kNoNextHop) return packet.drop(DropReason::no_route);
  packet.out_interface = snapshot.next_hops[packet.next_hop].interface;
  const InterfaceView& egress = snapshot.interfaces[packet.out_interface];
  if (!egress.present || !egress.up->load(std::memory_order_relaxed)) {
    return packet.drop(DropReason::interface_down);
  }
  if (packet.l3_length > egress.mtu) return packet.drop(DropReason::mtu_exceeded);
}

template <class F>
void run_route(Burst& burst, Context& context) {
  for (uint32_t i = 0; i < burst.count; i++) {
    Packet& packet = burst.packets[i];
    if (is_pending<F>(packet)) route_packet<F>(packet, *context.snapshot);
  }
}

template void run_route<Ipv4>(Burst&, Context&);
template void run_route<Ipv6>(Burst&, Context&);
template void route_packet<Ipv4>(Packet&, const Snapshot&);
template void route_packet<Ipv6>(Packet&, const Snapshot&);

}  // namespace sluice
