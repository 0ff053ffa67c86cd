// SPDX-License-Identifier: Apache-2.0
// The control thread's copy of the program that is in force: the newest snapshot, and the indices
// that make checking and applying a delta cost what the delta is worth, not what the program is.
#pragma once

#include <cstdint>
#include <cstring>
#include <unordered_map>
#include <vector>

#include "base/limits.h"
#include "base/result.h"
#include "config/program.h"
#include "config/snapshot.h"

namespace sluice {

inline constexpr uint32_t kMaxSlots = 1u << 20;  // frontends, and pools

struct Master {
  explicit Master(const Limits& limits_) : limits(limits_) {}

  Limits limits;
  Snapshot snapshot;
  std::unordered_map<uint32_t, Frontend> frontends;        // by slot
  std::unordered_map<uint64_t, uint32_t> frontend_slots;   // by frontend_key
  std::unordered_map<uint32_t, uint32_t> pool_references;  // pool slot: frontends that name it
  std::unordered_map<uint64_t, uint32_t> routes;           // by route_key: index of the next hop
  std::vector<uint32_t> free_next_hops;

  bool has_pool(uint32_t slot) const {
    return slot < snapshot.pools.size() && snapshot.pools[slot] != nullptr;
  }
  bool has_interface(uint16_t slot) const {
    return slot < snapshot.interfaces.size() && snapshot.interfaces[slot].present;
  }
};

inline uint64_t frontend_key(be32 address, be16 port, uint8_t protocol) {
  return uint64_t{address.raw} << 32 | uint64_t{port.raw} << 8 | protocol;
}
inline uint64_t route_key(be32 prefix, uint8_t length) {
  return uint64_t{prefix.raw} << 8 | length;
}

// Row `row` of a column of 16-byte addresses; the caller knows that it is IPv4 mapped, or all zero.
inline be32 address_of(const std::vector<uint8_t>& column, size_t row) {
  be32 address;
  std::memcpy(&address, &column[16 * row + 12], 4);
  return address;
}

// Everything that may be wrong with a delta; the first thing found. Changes nothing.
Status check_delta(const ProgramDelta& delta, const Master& master);

}  // namespace sluice
