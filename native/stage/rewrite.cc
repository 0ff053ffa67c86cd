// SPDX-License-Identifier: Apache-2.0
#include "stage/rewrite.h"

#include "base/checksum.h"
#include "packet/headers.h"

namespace sluice {
namespace {

// TCP and UDP begin with the two ports, source first.
struct [[gnu::may_alias]] Ports {
  be16 source;
  be16 destination;
};

void update_l4_checksum(Packet& packet, uint64_t delta) {
  if (packet.type == PacketClass::tcp) {
    auto* tcp = header_at<TcpHeader>(packet.data, packet.l4_offset);
    tcp->checksum = update_checksum(tcp->checksum, delta);
    return;
  }
  auto* udp = header_at<UdpHeader>(packet.data, packet.l4_offset);
  if (udp->checksum.raw == 0) return;  // RFC 768: the sender made none
  const be16 updated = update_checksum(udp->checksum, delta);
  udp->checksum = updated.raw == 0 ? be16{0xffff} : updated;
}

void translate(Packet& packet, const FlowEntry& entry) {
  auto* ip = header_at<Ipv4Header>(packet.data, kEthernetBytes);
  auto* ports = header_at<Ports>(packet.data, packet.l4_offset);
  if ((packet.flow & 1) == 0) {
    ip->destination = entry.new_address;
    ports->destination = entry.new_port;
  } else {
    ip->source = entry.new_address;
    ports->source = entry.new_port;
  }
  ip->checksum = update_checksum(ip->checksum, entry.ip_delta);
  update_l4_checksum(packet, entry.l4_delta);
}

}  // namespace

void run_rewrite(Burst& burst, Context& context) {
  for (uint32_t i = 0; i < burst.count; i++) {
    Packet& packet = burst.packets[i];
    if (packet.fate == Fate::pending && packet.flow != kNoFlow) {
      translate(packet, context.flows->entry(packet.flow));
    }
  }
}

}  // namespace sluice
