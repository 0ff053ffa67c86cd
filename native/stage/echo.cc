// SPDX-License-Identifier: Apache-2.0
#include "stage/echo.h"

#include <utility>

#include "packet/checksum_changes.h"
#include "packet/ip.h"

namespace sluice {
namespace {

constexpr uint8_t kLifetime = 64;

void finish_header(Ipv4Header& ip, uint32_t bytes) {
  ip.checksum = {};
  ip.checksum = full_checksum(reinterpret_cast<const uint8_t*>(&ip), bytes);
}
void finish_header(Ipv6Header&, uint32_t) {}

}  // namespace

template <class F>
void answer_echo(Packet& packet, const InterfaceView& ingress) {
  auto* icmp = header_at<IcmpHeader>(packet.data, packet.l4_offset);
  icmp->type = Wire<F>::kEchoReply;
  icmp->checksum = update_checksum(icmp->checksum,
                                   change(be16{Wire<F>::kEchoRequest}, be16{Wire<F>::kEchoReply}));
  auto& ip = *ip_header<F>(packet.data);
  std::swap(ip.source, ip.destination);
  lifetime(ip) = kLifetime;
  finish_header(ip, packet.l4_offset - kEthernetBytes);
  auto* ethernet = header_at<EthernetHeader>(packet.data, 0);
  std::memcpy(ethernet->destination, ethernet->source, 6);
  std::memcpy(ethernet->source, ingress.mac, 6);
  packet.out_interface = packet.in_interface;
  packet.fate = Fate::answer;
}

template void answer_echo<Ipv4>(Packet&, const InterfaceView&);
template void answer_echo<Ipv6>(Packet&, const InterfaceView&);

}  // namespace sluice
