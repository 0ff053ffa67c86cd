// SPDX-License-Identifier: Apache-2.0
// Theory of operation. Walks the extension headers of an IPv6 packet (RFC 8200, 4), to the L4
// header or to the data of a later fragment. Of received packets and of those that ICMP errors
// quote (docs/packet-path.md, "parse").
#pragma once

#include <cstdint>
#include <optional>

#include "base/reasons.h"
#include "packet/headers.h"

namespace sluice {

struct HeaderChain {
  std::optional<DropReason> refused;  // nothing else holds then
  uint8_t protocol;                   // of a later fragment: what its fragment header says
  uint32_t end;                       // offset of what follows the headers
  // Of the fragment header; null: there is none.
  const FragmentHeader* fragment = nullptr;
  uint32_t fragment_data = 0;  // offset of what follows it

  uint32_t fragment_offset() const { return fragment->offset_flags.host() & 0xfff8u; }
  bool more_fragments() const { return fragment->offset_flags.host() & 1; }
};

// `first`: next header of the IPv6 header; extension headers begin at `begin`, and no byte at `end`
// or beyond is looked at.
HeaderChain walk_extension_headers(const uint8_t* frame, uint8_t first, uint32_t begin,
                                   uint32_t end);

inline bool is_extension_header(uint8_t protocol) {
  return protocol == kProtocolHopByHop || protocol == kProtocolRouting ||
         protocol == kProtocolFragment || protocol == kProtocolAuthentication ||
         protocol == kProtocolDestinationOptions;
}

}  // namespace sluice
