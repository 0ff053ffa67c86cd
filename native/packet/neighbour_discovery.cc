// SPDX-License-Identifier: Apache-2.0
#include "packet/neighbour_discovery.h"

#include <cstring>

#include "packet/ip.h"

namespace sluice {

void write_neighbour_frame(uint8_t* frame, const NeighbourFrame& content) {
  constexpr uint32_t kMessageAt = kEthernetBytes + sizeof(Ipv6Header);
  constexpr uint32_t kBytes = kNeighbourFrameBytes - kMessageAt;
  auto* ethernet = header_at<EthernetHeader>(frame, 0);
  std::memcpy(ethernet->destination, content.to_mac, 6);
  std::memcpy(ethernet->source, content.mac, 6);
  ethernet->type = be16::from_host(kEtherTypeIpv6);
  *ip_header<Ipv6>(frame) = {be32::from_host(kIpv6Version),
                             be16::from_host(kBytes),
                             kProtocolIcmpv6,
                             255,
                             content.source,
                             content.destination};
  auto* message = header_at<NeighbourMessage>(frame, kMessageAt);
  *message = {content.type, 0, {}, be32::from_host(content.flags), content.target};
  auto* option = header_at<LinkAddressOption>(frame, kMessageAt + sizeof(NeighbourMessage));
  option->type = content.type == kNeighbourSolicitation ? kSourceLinkAddress : kTargetLinkAddress;
  option->length = 1;
  std::memcpy(option->mac, content.mac, 6);
  message->checksum =
      full_checksum(frame + kMessageAt, kBytes,
                    pseudo_sum<Ipv6>(content.source, content.destination, kProtocolIcmpv6, kBytes));
}

}  // namespace sluice
