// SPDX-License-Identifier: Apache-2.0
// A burst: the packets that go through the stages together, as views of their bytes. Knows nothing
// of mbufs: `handle` is the engine's, and `length` is what the engine writes back before it sends.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "base/crc32c.h"
#include "base/endian.h"
#include "base/family.h"
#include "base/limits.h"
#include "base/reasons.h"

namespace sluice {

enum class Fate : uint8_t { pending, forward, answer, host, drop, held };

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

template <class F>
uint32_t flow_hash(const FiveTuple<F>& tuple) {
  uint64_t words[sizeof(tuple) / 8];
  std::memcpy(words, &tuple, sizeof(words));
  return crc32c_words(words);
}

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

// Of an IPv4 hit one cache line is touched: the members up to tuple4.
struct alignas(64) Packet {
  uint8_t* data;       // Ethernet header; the buffer has room for at least kMinimumRoom bytes
  void* handle;        // the engine's buffer
  uint32_t length;     // of the frame, in bytes; stages may shorten it
  uint32_t l3_length;  // bytes from the IP header on
  uint32_t hash;
  uint32_t flow;  // entry in the family's flow table, or kNoFlow
  uint16_t in_interface;
  uint16_t out_interface;
  uint16_t l4_offset;  // from `data`; of a later fragment: its first byte of data
  Fate fate;
  DropReason reason;  // where fate is drop
  PacketClass type;
  uint8_t version;  // 4, 6; 0: not IP
  FragmentKind fragment;
  uint8_t tcp_flags;  // or what an SCTP chunk means
  bool related;       // an ICMP error; `flow` is the entry that its quoted packet belongs to
  union {             // as received; by `version`
    FiveTuple<Ipv4> tuple4;
    FiveTuple<Ipv6> tuple6;
  };
  const void* frontend;  // of a miss, behind service: Frontend<F> of the snapshot, or null
  uint32_t next_hop;     // index into the snapshot's next hops
  bool detour;           // it is not the owner of its flows, who is not usable at the moment
  bool to_host;          // behind route: it goes to this node's kernel
  bool tracked;          // of a miss, behind service: a flow without a frontend is to be made
  FragmentRange range;   // where fragment is not `none`

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

static_assert(offsetof(Packet, tuple4) + sizeof(FiveTuple<Ipv4>) == 64);

struct Burst {
  uint32_t count = 0;
  // What parse has seen, so that a stage that few bursts need costs the others nothing.
  uint64_t plain4 = 0, plain6 = 0;  // packets that parse_plain has parsed, by bit
  uint32_t classes = 0;             // of the others: bits 1 << PacketClass
  bool fragments = false;
  Packet packets[kMaxBurst];

  void clear_facts() {
    plain4 = plain6 = 0;
    classes = 0;
    fragments = false;
  }
  void note_plain(uint32_t number) {
    (packets[number].version == 4 ? plain4 : plain6) |= uint64_t{1} << number;
  }
  void note(const Packet& packet) {
    classes |= 1u << static_cast<uint32_t>(packet.type);
    fragments |= packet.fragment != FragmentKind::none;
  }
  // Packet `number` is none any more that parse_plain has parsed.
  void forget_plain(uint32_t number) {
    plain4 &= ~(uint64_t{1} << number);
    plain6 &= ~(uint64_t{1} << number);
  }
  template <class F>
  uint64_t plain() const {
    return F::kVersion == 4 ? plain4 : plain6;
  }
  bool has(PacketClass type) const { return classes >> static_cast<uint32_t>(type) & 1; }
};
static_assert(kMaxBurst <= 64);

}  // namespace sluice
