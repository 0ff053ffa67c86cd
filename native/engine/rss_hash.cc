// SPDX-License-Identifier: Apache-2.0
#include "engine/rss_hash.h"

#include <algorithm>
#include <cstring>

#include "base/crc32c.h"
#include "base/mix.h"
#include "packet/ip.h"

namespace sluice {
namespace {

// The smaller one first, which makes it the same for both directions.
struct Ends {
  uint32_t low_address, high_address;
  uint16_t low_port, high_port;
  uint32_t protocol;
};
static_assert(sizeof(Ends) == 16);

bool has_ports(uint8_t protocol) {
  return protocol == kProtocolTcp || protocol == kProtocolUdp || protocol == kProtocolSctp;
}

// `offset`: of the L4 header; 0: there are no ports to look at.
uint32_t hash_ends(uint32_t source, uint32_t destination, uint8_t protocol, const uint8_t* frame,
                   uint32_t offset, uint32_t length) {
  Ends ends{std::min(source, destination), std::max(source, destination), 0, 0, 0};
  if (offset != 0 && has_ports(protocol) && offset + sizeof(PortsHeader) <= length) {
    const auto* ports = header_at<PortsHeader>(frame, offset);
    ends.low_port = std::min(ports->source.raw, ports->destination.raw);
    ends.high_port = std::max(ports->source.raw, ports->destination.raw);
    ends.protocol = protocol;
  }
  return mix(crc32c(&ends, sizeof(ends)));
}

}  // namespace

std::optional<uint32_t> symmetric_hash(const uint8_t* frame, uint32_t length) {
  if (length < kEthernetBytes + sizeof(Ipv4Header)) return std::nullopt;
  const uint16_t type = header_at<EthernetHeader>(frame, 0)->type.host();
  if (type == kEtherTypeIpv4) {
    const auto* ip = ip_header<Ipv4>(frame);
    const uint32_t offset = is_fragment(*ip) ? 0 : kEthernetBytes + (ip->version_ihl & 0xfu) * 4u;
    return hash_ends(ip->source.raw, ip->destination.raw, ip->protocol, frame, offset, length);
  }
  if (type == kEtherTypeIpv6 && length >= kEthernetBytes + sizeof(Ipv6Header)) {
    const auto* ip = ip_header<Ipv6>(frame);
    return hash_ends(crc32c(&ip->source, sizeof(ip->source)),
                     crc32c(&ip->destination, sizeof(ip->destination)), ip->next_header, frame,
                     kEthernetBytes + sizeof(Ipv6Header), length);
  }
  return std::nullopt;
}

}  // namespace sluice
