// SPDX-License-Identifier: Apache-2.0
// A burst: the packets that go through the stages together, as views of their bytes. Knows nothing
// of mbufs: `handle` is the engine's, and `length` is what the engine writes back before it sends.
#pragma once

#include <cstdint>
#include <cstring>

#include "base/crc32c.h"
#include "base/endian.h"
#include "base/family.h"
#include "base/limits.h"
#include "base/reasons.h"

namespace sluice {

enum class Fate : uint8_t { pending, forward, answer, drop, held };

// What parse made of it: which of the stages concern the packet.
enum class PacketClass : uint8_t { other, arp, nd, tcp, udp, sctp, echo, icmp_error };

// Of a datagram in fragments; atomic fragments (RFC 6946) count as `none`.
enum class FragmentKind : uint8_t { none, first, later };

// The key of a flow, in network order, zero-padded to whole words; hashed and compared as words.
// 16 bytes in IPv4, 40 in IPv6.
template <class F>
struct alignas(8) FiveTuple {
  typename F::Address source;
  typename F::Address destination;
  be16 source_port;
  be16 destination_port;
  uint8_t protocol;
  uint8_t zero[3];

  bool operator==(const FiveTuple& other) const {
    constexpr size_t kWords = sizeof(FiveTuple) / 8;
    uint64_t mine[kWords], theirs[kWords], differences = 0;
    std::memcpy(mine, this, sizeof(mine));
    std::memcpy(theirs, &other, sizeof(theirs));
    for (size_t i = 0; i < kWords; i++) differences |= mine[i] ^ theirs[i];
    return differences == 0;
  }
  // As the other side's packets have it.
  FiveTuple reversed() const {
    return {destination, source, destination_port, source_port, protocol, {}};
  }
};
static_assert(sizeof(FiveTuple<Ipv4>) == 16 && sizeof(FiveTuple<Ipv6>) == 40);

inline uint32_t flow_hash(const FiveTuple<Ipv4>& tuple) { return crc32c_16(&tuple); }
inline uint32_t flow_hash(const FiveTuple<Ipv6>& tuple) { return crc32c(&tuple, sizeof(tuple)); }

inline constexpr uint32_t kNoFlow = UINT32_MAX;
inline constexpr uint16_t kNoInterface = UINT16_MAX;

// Which bytes of which datagram a fragment has; offsets and lengths in bytes.
struct FragmentRange {
  uint32_t identification;
  uint32_t offset;
  uint32_t length;
  bool more;
  uint8_t key_protocol;  // IPv4: the protocol; IPv6: 0
  bool followed;         // of a protocol whose fragments the fragment stage looks at
};

struct Packet {
  uint8_t* data;    // Ethernet header; the buffer has room for at least kMinimumRoom bytes
  uint32_t length;  // of the frame, in bytes; stages may shorten it
  uint16_t in_interface;
  uint16_t out_interface;
  Fate fate;
  DropReason reason;  // where fate is drop
  PacketClass type;
  uint8_t version;  // 4, 6; 0: not IP
  FragmentKind fragment;
  uint8_t tcp_flags;   // or what an SCTP chunk means
  bool related;        // an ICMP error; `flow` is the entry that its quoted packet belongs to
  uint16_t l4_offset;  // from `data`; of a later fragment: its first byte of data
  uint32_t l3_length;  // bytes from the IP header on
  uint32_t hash;
  uint32_t flow;         // entry in the family's flow table, or kNoFlow
  const void* frontend;  // Frontend<F> of the snapshot that a miss found, or null
  uint32_t next_hop;     // index into the snapshot's next hops
  void* handle;          // the engine's buffer
  FragmentRange range;   // where fragment is not `none`
  union {                // as received; by `version`
    FiveTuple<Ipv4> tuple4;
    FiveTuple<Ipv6> tuple6;
  };

  template <class F>
  FiveTuple<F>& tuple() {
    if constexpr (F::kVersion == 4) {
      return tuple4;
    } else {
      return tuple6;
    }
  }
  template <class F>
  const FiveTuple<F>& tuple() const {
    return const_cast<Packet*>(this)->tuple<F>();
  }

  void drop(DropReason why) {
    fate = Fate::drop;
    reason = why;
  }
};

// Replies that are made in place may be longer than what they answer.
inline constexpr uint32_t kMinimumRoom = 128;

struct Burst {
  uint32_t count = 0;
  Packet packets[kMaxBurst];
};

}  // namespace sluice
