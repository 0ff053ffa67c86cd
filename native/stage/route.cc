// SPDX-License-Identifier: Apache-2.0
#include "stage/route.h"

#include "base/checksum.h"
#include "packet/headers.h"

namespace sluice {
namespace {

void route(Packet& packet, const Snapshot& snapshot) {
  auto* ip = header_at<Ipv4Header>(packet.data, kEthernetBytes);
  if (ip->ttl <= 1) return packet.drop(DropReason::ttl_expired);
  ip->ttl--;
  ip->checksum = update_checksum(
      ip->checksum, checksum_delta(be16::from_host(1 << 8), be16{0}));  // TTL is the upper byte

  packet.next_hop = snapshot.routes->lookup(ip->destination);
  if (packet.next_hop == kNoNextHop) return packet.drop(DropReason::no_route);
  packet.out_interface = snapshot.next_hops[packet.next_hop].interface;
  const InterfaceView& egress = snapshot.interfaces[packet.out_interface];
  if (!egress.present || !egress.up->load(std::memory_order_relaxed)) {
    return packet.drop(DropReason::interface_down);
  }
  if (packet.l3_length > egress.mtu) return packet.drop(DropReason::mtu_exceeded);
}

}  // namespace

void run_route(Burst& burst, Context& context) {
  for (uint32_t i = 0; i < burst.count; i++) {
    Packet& packet = burst.packets[i];
    if (packet.fate == Fate::pending) route(packet, *context.snapshot);
  }
}

}  // namespace sluice
