// SPDX-License-Identifier: Apache-2.0
// One direction of a connection, as it lies in a flow table: what arrives, what leaves, and what
// was seen of it. One cache line (IPv6: two).
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "base/family.h"
#include "packet/burst.h"

namespace sluice {

// A five-tuple without its padding.
template <class F>
struct FlowKey {
  typename F::Address source;
  typename F::Address destination;
  be16 source_port;
  be16 destination_port;
  uint8_t protocol;

  FiveTuple<F> tuple() const {
    return {source, destination, source_port, destination_port, protocol, {}};
  }
};
static_assert(sizeof(FlowKey<Ipv4>) == 13 && sizeof(FlowKey<Ipv6>) == 37);

// What a packet needs besides its new addresses. The adjacency is what the latest packet that went
// through all stages has found, and holds for snapshots of this stamp (stage/shortcut). One word,
// so that several workers can read and write it.
struct alignas(8) FlowWay {
  uint32_t stamp;      // 0: no snapshot has it
  uint16_t adjacency;  // see stage/adjacencies.h
  uint16_t l4_delta;   // one's complement sum of ~old + new over addresses and ports (ICMPv4: the
                       // identifier alone)
};
static_assert(sizeof(FlowWay) == 8);

// `backend_slot` of a flow that is for no service, and tracked for policy's sake.
inline constexpr uint32_t kNoBackend = UINT32_MAX;
// Bits of `marks`.
inline constexpr uint8_t kCameByTunnel = 1 << 0;  // the first packet of the connection did
inline constexpr uint8_t kOneWay = 1 << 1;        // packets go to the backend as they came

template <class F>
struct alignas(64) FlowEntry {
  FlowKey<F> key;     // as this direction's packets arrive
  uint8_t tcp_flags;  // seen in this direction
  uint8_t alive;      // of the pair; meaningful in the forward entry. Accessed atomically
  uint8_t marks;      // what the connection keeps of its beginning; forward and reply alike
  typename F::Address source;       // as they leave
  typename F::Address destination;  // as they leave
  be16 source_port;
  be16 destination_port;
  uint32_t last_seen;  // seconds; 0 packets: never
  FlowWay way;
  uint32_t backend_slot;  // forward and reply alike; or kNoBackend
  uint32_t backend_serial;
  uint64_t packets;
  uint64_t bytes;

  bool is_of(const FiveTuple<F>& tuple) const {
    // The key's last word ends with what is no part of it.
    constexpr size_t kWords = sizeof(FiveTuple<F>) / 8;
    constexpr uint64_t kLastOfKey = ~uint64_t{0} >> 24;
    uint64_t mine[kWords], theirs[kWords], differences = 0;
    std::memcpy(mine, this, sizeof(mine));
    std::memcpy(theirs, &tuple, sizeof(theirs));
    mine[kWords - 1] &= kLastOfKey;
    for (size_t i = 0; i < kWords; i++) differences |= mine[i] ^ theirs[i];
    return differences == 0;
  }
  FlowWay load_way() const {
    return std::bit_cast<FlowWay>(
        __atomic_load_n(reinterpret_cast<const uint64_t*>(&way), __ATOMIC_RELAXED));
  }
  void store_way(FlowWay next) {
    __atomic_store_n(reinterpret_cast<uint64_t*>(&way), std::bit_cast<uint64_t>(next),
                     __ATOMIC_RELAXED);
  }
};
static_assert(sizeof(FlowEntry<Ipv4>) == 64 && sizeof(FlowEntry<Ipv6>) == 128);

}  // namespace sluice
