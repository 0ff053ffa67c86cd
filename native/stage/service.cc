// SPDX-License-Identifier: Apache-2.0
#include "stage/service.h"

#include <cstring>

#include "base/checksum.h"
#include "packet/headers.h"

namespace sluice {
namespace {

constexpr uint8_t kTtl = 64;

bool is_echo_request(const Packet& packet) {
  if (packet.type != PacketClass::icmp) return false;
  const auto* icmp = header_at<IcmpHeader>(packet.data, packet.l4_offset);
  return icmp->type == kIcmpEchoRequest && icmp->code == 0;
}

void answer_echo(Packet& packet, const InterfaceView& view) {
  auto* icmp = header_at<IcmpHeader>(packet.data, packet.l4_offset);
  icmp->type = kIcmpEchoReply;
  icmp->checksum = update_checksum(
      icmp->checksum,
      checksum_delta(be16::from_host(kIcmpEchoRequest << 8), be16::from_host(kIcmpEchoReply << 8)));
  auto* ip = header_at<Ipv4Header>(packet.data, kEthernetBytes);
  const be32 source = ip->source;
  ip->source = ip->destination;
  ip->destination = source;
  ip->ttl = kTtl;
  ip->checksum = {};
  ip->checksum = full_checksum(packet.data + kEthernetBytes, packet.l4_offset - kEthernetBytes);

  auto* ethernet = header_at<EthernetHeader>(packet.data, 0);
  std::memcpy(ethernet->destination, ethernet->source, 6);
  std::memcpy(ethernet->source, view.mac, 6);
  packet.out_interface = packet.in_interface;
  packet.fate = Fate::answer;
}

void judge(Packet& packet, const Snapshot& snapshot) {
  const FiveTuple& tuple = packet.tuple;
  if (packet.type == PacketClass::tcp || packet.type == PacketClass::udp) {
    const Frontend* frontend =
        snapshot.services->find(tuple.destination, tuple.destination_port, tuple.protocol);
    if (frontend != nullptr) {
      packet.pool = frontend->pool;
      return;
    }
  }
  if (snapshot.services->has_address(tuple.destination)) {
    return packet.drop(DropReason::service_port_unknown);
  }
  if (!snapshot.is_own_address(tuple.destination)) return;
  if (!is_echo_request(packet)) return packet.drop(DropReason::not_for_host);
  answer_echo(packet, snapshot.interfaces[packet.in_interface]);
}

}  // namespace

void run_service(Burst& burst, Context& context) {
  for (uint32_t i = 0; i < burst.count; i++) {
    Packet& packet = burst.packets[i];
    if (packet.fate == Fate::pending && packet.flow == kNoFlow) judge(packet, *context.snapshot);
  }
}

}  // namespace sluice
