// SPDX-License-Identifier: Apache-2.0
// Theory of operation. The solicitations and advertisements that we send (RFC 4861): Ethernet,
// IPv6, the message, and one option with a link-layer address.
#pragma once

#include <cstdint>

#include "packet/headers.h"

namespace sluice {

inline constexpr uint32_t kNeighbourFrameBytes = sizeof(EthernetHeader) + sizeof(Ipv6Header) +
                                                 sizeof(NeighbourMessage) +
                                                 sizeof(LinkAddressOption);

inline constexpr uint32_t kRouterFlag = 1u << 31;
inline constexpr uint32_t kSolicitedFlag = 1u << 30;
inline constexpr uint32_t kOverrideFlag = 1u << 29;

struct NeighbourFrame {
  uint8_t type;        // kNeighbourSolicitation or kNeighbourAdvertisement
  const uint8_t* mac;  // ours: source, and in the option
  const uint8_t* to_mac;
  Address source;
  Address destination;
  Address target;
  uint32_t flags;
};

// Writes kNeighbourFrameBytes; `content` must not point into the frame.
void write_neighbour_frame(uint8_t* frame, const NeighbourFrame& content);

}  // namespace sluice
