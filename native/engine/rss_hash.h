// SPDX-License-Identifier: Apache-2.0
// What software RSS spreads frames by: a hash that both directions of a flow share, as a NIC's is
// with a symmetric key.
#pragma once

#include <cstdint>
#include <optional>

namespace sluice {

// Over the addresses and, of TCP, UDP and SCTP, the ports. Fragments, packets with IPv6 extension
// headers and all others: over the addresses alone, so that all fragments of a datagram hash alike.
// Looks at the `length` first bytes of a frame; none: not IP, or too short for its header.
std::optional<uint32_t> symmetric_hash(const uint8_t* frame, uint32_t length);

}  // namespace sluice
