// SPDX-License-Identifier: Apache-2.0
// A burst: the packets that go through the stages together, as views of their bytes. Knows nothing
// of mbufs: `handle` is the engine's, and `length` is what the engine writes back before it sends.
#pragma once

#include <cstdint>
#include <cstring>

#include "base/crc32c.h"
#include "base/endian.h"
#include "base/limits.h"
#include "base/reasons.h"

namespace sluice {

enum class Fate : uint8_t { pending, forward, answer, drop, held };

// What parse made of it: which of the stages concern the packet.
enum class PacketClass : uint8_t { other, arp, tcp, udp, icmp };

// The key of a flow: 16 bytes in network order, zero-padded, hashed and compared as two words.
struct alignas(16) FiveTuple {
  be32 source;
  be32 destination;
  be16 source_port;
  be16 destination_port;
  uint8_t protocol;
  uint8_t zero[3];
  bool operator==(const FiveTuple& other) const {
    uint64_t mine[2], theirs[2];
    std::memcpy(mine, this, sizeof(mine));
    std::memcpy(theirs, &other, sizeof(theirs));
    return ((mine[0] ^ theirs[0]) | (mine[1] ^ theirs[1])) == 0;
  }
};
static_assert(sizeof(FiveTuple) == 16);

inline uint32_t flow_hash(const FiveTuple& tuple) { return crc32c_16(&tuple); }

inline constexpr uint32_t kNoFlow = UINT32_MAX;
inline constexpr uint32_t kNoPool = UINT32_MAX;
inline constexpr uint16_t kNoInterface = UINT16_MAX;

struct Packet {
  uint8_t* data;    // Ethernet header
  uint32_t length;  // of the frame, in bytes; stages may shorten it
  uint16_t in_interface;
  uint16_t out_interface;
  Fate fate;
  DropReason reason;  // where fate is drop
  PacketClass type;
  uint8_t tcp_flags;
  uint16_t l4_offset;  // from `data`
  uint16_t l3_length;  // IP total length
  uint32_t hash;
  uint32_t flow;      // entry in the flow table, or kNoFlow
  uint32_t pool;      // of the frontend that a miss found, or kNoPool
  uint32_t next_hop;  // index into the snapshot's next hops
  void* handle;       // the engine's buffer
  FiveTuple tuple;    // as received

  void drop(DropReason why) {
    fate = Fate::drop;
    reason = why;
  }
};

struct Burst {
  uint32_t count = 0;
  Packet packets[kMaxBurst];
};

}  // namespace sluice
