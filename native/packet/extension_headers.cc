// SPDX-License-Identifier: Apache-2.0
#include "packet/extension_headers.h"

namespace sluice {
namespace {

constexpr uint32_t kMostHeaders = 8;

uint32_t bytes_of(uint8_t protocol, const ExtensionHeader& header) {
  if (protocol == kProtocolFragment) return sizeof(FragmentHeader);
  if (protocol == kProtocolAuthentication) return (header.length + 2u) * 4;
  return (header.length + 1u) * 8;
}

}  // namespace

HeaderChain walk_extension_headers(const uint8_t* frame, uint8_t first, uint32_t begin,
                                   uint32_t end) {
  HeaderChain chain{.refused = {}, .protocol = first, .end = begin};
  auto refuse = [&](DropReason reason) {
    chain.refused = reason;
    return chain;
  };
  for (uint32_t number = 0; is_extension_header(chain.protocol); number++) {
    const uint8_t protocol = chain.protocol;
    if (number == kMostHeaders || end - chain.end < sizeof(ExtensionHeader) ||
        (protocol == kProtocolHopByHop && number > 0) ||
        (protocol == kProtocolFragment && chain.fragment != nullptr)) {
      return refuse(DropReason::malformed_ipv6);
    }
    const auto* header = header_at<ExtensionHeader>(frame, chain.end);
    const uint32_t bytes = bytes_of(protocol, *header);
    if (end - chain.end < bytes) return refuse(DropReason::malformed_ipv6);
    if (protocol == kProtocolRouting && header->segments_left != 0) {
      return refuse(DropReason::routing_header);
    }
    chain.protocol = header->next_header;
    if (protocol == kProtocolFragment) {
      chain.fragment = header_at<FragmentHeader>(frame, chain.end);
      chain.fragment_data = chain.end + bytes;
    }
    chain.end += bytes;
    if (protocol == kProtocolFragment && chain.fragment_offset() != 0) break;
  }
  return chain;
}

}  // namespace sluice
