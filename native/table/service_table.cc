// SPDX-License-Identifier: Apache-2.0
#include "table/service_table.h"

#include <algorithm>
#include <bit>

namespace sluice {
namespace {

// Finaliser of SplitMix64: keys of a cluster differ in few bits.
uint32_t spread(uint64_t key) {
  key = (key ^ (key >> 30)) * 0xbf58476d1ce4e5b9;
  key = (key ^ (key >> 27)) * 0x94d049bb133111eb;
  return static_cast<uint32_t>(key ^ (key >> 31));
}

uint32_t hash_of(be32 address, be16 port, uint8_t protocol) {
  return spread(uint64_t{address.raw} << 32 | uint64_t{port.raw} << 8 | protocol);
}

}  // namespace

ServiceTable::ServiceTable(const std::vector<Frontend>& frontends) : frontends_(frontends) {
  const size_t size = std::bit_ceil(std::max<size_t>(frontends_.size() * 2, 2));
  key_mask_ = address_mask_ = static_cast<uint32_t>(size - 1);
  by_key_.assign(size, 0);
  by_address_.assign(size, 0);
  for (uint32_t i = 0; i < frontends_.size(); i++) {
    const Frontend& frontend = frontends_[i];
    uint32_t at = hash_of(frontend.address, frontend.port, frontend.protocol) & key_mask_;
    while (by_key_[at] != 0) at = (at + 1) & key_mask_;
    by_key_[at] = i + 1;

    const uint32_t address = frontend.address.raw;
    at = spread(address) & address_mask_;
    while (by_address_[at] != 0 && by_address_[at] != address) at = (at + 1) & address_mask_;
    by_address_[at] = address;
  }
}

const Frontend* ServiceTable::find(be32 address, be16 port, uint8_t protocol) const {
  uint32_t at = hash_of(address, port, protocol) & key_mask_;
  for (; by_key_[at] != 0; at = (at + 1) & key_mask_) {
    const Frontend& frontend = frontends_[by_key_[at] - 1];
    if (frontend.address == address && frontend.port == port && frontend.protocol == protocol) {
      return &frontend;
    }
  }
  return nullptr;
}

bool ServiceTable::has_address(be32 address) const {
  if (address.is_zero()) return false;
  uint32_t at = spread(address.raw) & address_mask_;
  for (; by_address_[at] != 0; at = (at + 1) & address_mask_) {
    if (by_address_[at] == address.raw) return true;
  }
  return false;
}

}  // namespace sluice
