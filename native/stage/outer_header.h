// SPDX-License-Identifier: Apache-2.0
// Theory of operation. The headers of the packets of a tunnel are the same but for a few fields: so
// they are made once in a burst, and copied in front of each frame in one piece
// (docs/packet-path.md, "encap").
#pragma once

#include <cstdint>

#include "stage/frame.h"
#include "table/tunnels.h"

namespace sluice {

// Bytes that a frame's buffer needs in front of it. More than any tunnel's headers take.
inline constexpr uint32_t kOuterRoom = 80;

struct alignas(16) OuterHeader {
  uint8_t bytes[kOuterRoom];  // the last `length` of them
  uint32_t length;            // from the Ethernet header on
  uint64_t sum;               // of the IPv4 header's words that do not change

  uint8_t* ethernet() { return bytes + kOuterRoom - length; }
};

// The MACs are missing.
OuterHeader make_outer_header(const Tunnel& tunnel);

// The frame becomes the packet that carries it. `entropy`: `mix` of its hash.
void write_outer(Frame& frame, const Tunnel& tunnel, const OuterHeader& outer, uint32_t entropy);

}  // namespace sluice
