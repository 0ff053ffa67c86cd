// SPDX-License-Identifier: Apache-2.0
// Theory of operation. An adjacency is what a frame needs to leave: MAC addresses and interface.
// Its number says who the next hop is: a place of the neighbour table, or a next hop of the
// snapshot whose MAC the route gives. What that comes to is looked up once in a burst and kept
// until the next one, so that the packets of a flow need no more than the number. One cache per
// worker.
#pragma once

#include <cstdint>

#include "base/zeroed_memory.h"
#include "table/neighbours.h"

namespace sluice {

struct Context;

struct alignas(32) Adjacency {
  uint64_t burst;         // for which it was looked up
  uint8_t addresses[12];  // destination and source, as a frame begins
  uint16_t interface;
  uint16_t mtu;  // 0: not to be used; the stages see what there is to do
};
static_assert(sizeof(Adjacency) == 32);

inline constexpr uint16_t kNoAdjacency = UINT16_MAX;

class Adjacencies {
 public:
  Adjacencies();  // throws std::bad_alloc

  // Only the first 32,768 of each have a number; the others have none.
  static uint16_t of_neighbour(const NeighbourTable& table, const Neighbour& neighbour) {
    const uint32_t place = table.place_of(neighbour);
    return place < kFirstNextHop ? static_cast<uint16_t>(place) : kNoAdjacency;
  }
  static uint16_t of_next_hop(uint32_t index) {
    return index < kNoAdjacency - kFirstNextHop ? static_cast<uint16_t>(kFirstNextHop + index)
                                                : kNoAdjacency;
  }

  void next_burst() { burst_++; }
  uint64_t burst() const { return burst_; }
  // `number`: of an adjacency that the context's snapshot knows.
  const Adjacency& at(uint16_t number, const Context& context) {
    Adjacency& adjacency = all_[number];
    if (adjacency.burst != burst_) [[unlikely]]
      look_up(number, context, adjacency);
    return adjacency;
  }

 private:
  static constexpr uint32_t kFirstNextHop = 1 << 15;

  void look_up(uint16_t number, const Context& context, Adjacency& adjacency) const;

  ZeroedMemory memory_;
  Adjacency* all_;
  uint64_t burst_ = 1;
};

}  // namespace sluice
