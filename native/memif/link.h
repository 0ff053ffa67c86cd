// SPDX-License-Identifier: Apache-2.0
// What workers have of a connection: its memory and rings. Each ring is one worker's. Nothing that
// the other side may write is used unchecked or read twice.
#pragma once

#include <cstdint>
#include <vector>

#include "memif/region.h"
#include "memif/ring.h"

namespace sluice::memif {

struct Link {
  std::vector<Region> regions;
  std::vector<ReceiveRing> receive;  // by queue
  std::vector<TransmitRing> transmit;

  // Where `length` bytes of a slot are, or null: not in the memory that both sides see.
  uint8_t* bytes(const Descriptor& slot, uint32_t length) const {
    if (slot.region >= regions.size()) return nullptr;
    const Region& region = regions[slot.region];
    return uint64_t{slot.offset} + length <= region.size() ? region.data() + slot.offset : nullptr;
  }
};

}  // namespace sluice::memif
