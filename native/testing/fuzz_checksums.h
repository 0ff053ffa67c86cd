// SPDX-License-Identifier: Apache-2.0
// Checksums of IP packets (without the Ethernet header) of either family.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/endian.h"

namespace sluice {

// The 16-bit field of an L4 header at `l4`; null: there is none, or it does not fit.
be16* l4_checksum_field(std::vector<uint8_t>& packet, uint8_t protocol, size_t l4);
// Not folded.
uint64_t l4_pseudo_sum(const std::vector<uint8_t>& packet, uint8_t protocol, size_t length);
// Of everything from `l4` on. Other protocols have none.
void write_l4_checksum(std::vector<uint8_t>& packet, uint8_t protocol, size_t l4);

// Whether all checksums of a frame that can be judged are right; what is no IP, and the L4 of
// fragments, cannot. False also for a packet that is cut short.
bool checksums_are_right(const std::vector<uint8_t>& frame);

}  // namespace sluice
