// SPDX-License-Identifier: Apache-2.0
// Integers in network byte order as types of their own: no implicit conversion, so that a missing
// byte swap does not compile. Alignment 1, so that they can be read where they lie in a packet.
#pragma once

#include <cstdint>

namespace sluice {

static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "big-endian hosts are not supported");

struct be16 {
  using Raw [[gnu::aligned(1)]] = uint16_t;
  Raw raw;  // as it lies in memory
  static be16 from_host(uint16_t value) { return {__builtin_bswap16(value)}; }
  uint16_t host() const { return __builtin_bswap16(raw); }
  bool operator==(const be16&) const = default;
};

struct be32 {
  using Raw [[gnu::aligned(1)]] = uint32_t;
  Raw raw;  // as it lies in memory
  static be32 from_host(uint32_t value) { return {__builtin_bswap32(value)}; }
  uint32_t host() const { return __builtin_bswap32(raw); }
  bool is_zero() const { return raw == 0; }
  bool operator==(const be32&) const = default;
};

static_assert(sizeof(be16) == 2 && alignof(be16) == 1);
static_assert(sizeof(be32) == 4 && alignof(be32) == 1);

}  // namespace sluice
