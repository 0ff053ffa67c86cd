// SPDX-License-Identifier: Apache-2.0
// Maglev consistent hashing (Eisenbud et al., NSDI 2016, section 3.4), with weights. The rule in
// full, table sizes included: docs/packet-path.md, "Tables".
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace sluice {

struct MaglevBackend {
  uint8_t address[16];  // network order, IPv4 mapped
  uint16_t port;
  uint16_t weight;
};

// Row of the backend for each table slot; empty where no backend has weight > 0. The result depends
// on the set of backends only, not on their order (rows are named in the caller's order).
std::vector<uint32_t> build_maglev(std::span<const MaglevBackend> backends);

// Slot of a hash: floor(hash * size / 2^32).
inline uint32_t maglev_slot(uint32_t hash, size_t size) {
  return static_cast<uint32_t>((static_cast<uint64_t>(hash) * size) >> 32);
}

}  // namespace sluice
