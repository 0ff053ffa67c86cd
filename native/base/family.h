// SPDX-License-Identifier: Apache-2.0
// The two address families as types: what a template of the path or of a table is written over.
#pragma once

#include <cstdint>
#include <cstring>

#include "base/endian.h"

namespace sluice {

// 16 bytes in network order, IPv4 as ::ffff:a.b.c.d: how the program names addresses of either
// family, and an address of IPv6.
struct Address {
  uint8_t bytes[16];

  bool is_zero() const {
    uint64_t words[2];
    std::memcpy(words, bytes, sizeof(words));
    return (words[0] | words[1]) == 0;
  }
  bool is_ipv4() const {
    static constexpr uint8_t kMapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    return std::memcmp(bytes, kMapped, sizeof(kMapped)) == 0;
  }
  bool operator==(const Address& other) const {
    uint64_t mine[2], theirs[2];
    std::memcpy(mine, bytes, sizeof(mine));
    std::memcpy(theirs, other.bytes, sizeof(theirs));
    return ((mine[0] ^ theirs[0]) | (mine[1] ^ theirs[1])) == 0;
  }
};
static_assert(sizeof(Address) == 16 && alignof(Address) == 1);

struct Ipv4 {
  using Address = be32;
  static constexpr uint8_t kVersion = 4;
  static constexpr uint8_t kBits = 32;
  static bool holds(const sluice::Address& address) { return address.is_ipv4(); }
  static Address from(const sluice::Address& address) {
    Address out;
    std::memcpy(&out, address.bytes + 12, sizeof(out));
    return out;
  }
  static sluice::Address general(Address address) {
    sluice::Address out{{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0, 0, 0, 0}};
    std::memcpy(out.bytes + 12, &address, sizeof(address));
    return out;
  }
};

struct Ipv6 {
  using Address = sluice::Address;
  static constexpr uint8_t kVersion = 6;
  static constexpr uint8_t kBits = 128;
  static bool holds(const Address& address) { return !address.is_ipv4(); }
  static Address from(const Address& address) { return address; }
  static Address general(const Address& address) { return address; }
};

// Whether the first `length` bits of two addresses are equal; the length is the family's own.
inline bool same_network(be32 a, be32 b, uint8_t length) {
  return length == 0 || ((a.host() ^ b.host()) >> (32 - length)) == 0;
}
inline bool same_network(const Address& a, const Address& b, uint8_t length) {
  const uint32_t whole = length / 8, rest = length % 8;
  if (std::memcmp(a.bytes, b.bytes, whole) != 0) return false;
  return rest == 0 || ((a.bytes[whole] ^ b.bytes[whole]) >> (8 - rest)) == 0;
}

template <class F>
struct Prefix {
  typename F::Address address;
  uint8_t length;
  bool holds(const typename F::Address& other) const {
    return same_network(address, other, length);
  }
};

}  // namespace sluice
