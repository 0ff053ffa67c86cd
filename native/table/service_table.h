// SPDX-License-Identifier: Apache-2.0
// Exact match of (address, port, protocol) to a pool, and of an address alone ("is it a
// service's?"). Immutable after build: open addressing, at most half full, one probe sequence per
// lookup, constant in the number of services.
#pragma once

#include <cstdint>
#include <vector>

#include "base/endian.h"

namespace sluice {

struct Frontend {
  be32 address;
  be16 port;
  uint8_t protocol;
  uint32_t slot;
  uint32_t pool;
};

class ServiceTable {
 public:
  explicit ServiceTable(const std::vector<Frontend>& frontends);

  // Null: no such frontend.
  const Frontend* find(be32 address, be16 port, uint8_t protocol) const;
  bool has_address(be32 address) const;
  const std::vector<Frontend>& frontends() const { return frontends_; }

 private:
  std::vector<Frontend> frontends_;
  std::vector<uint32_t> by_key_;      // index into frontends_ + 1; 0: empty
  std::vector<uint32_t> by_address_;  // raw addresses; 0: empty (0.0.0.0 is never a service's)
  uint32_t key_mask_ = 0;
  uint32_t address_mask_ = 0;
};

}  // namespace sluice
