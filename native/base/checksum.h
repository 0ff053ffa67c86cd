// SPDX-License-Identifier: Apache-2.0
// The Internet checksum (RFC 1071) and its incremental update (RFC 1624, equation 3). Sums are
// taken over words as they lie in memory: one's complement addition does not mind the byte order.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "base/endian.h"

namespace sluice {

// Of a sum below 2^32.
inline uint16_t fold_word(uint64_t sum) {
  sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<uint16_t>(sum + (sum >> 16));
}

inline uint16_t fold(uint64_t sum) {
  sum = (sum & 0xffffffff) + (sum >> 32);
  return fold_word((sum & 0xffff) + (sum >> 16));
}

// The delta of one changed word or address, `~old + new`; deltas add up, folded or not.
inline uint64_t checksum_delta(be16 before, be16 after) {
  return uint64_t{static_cast<uint16_t>(~before.raw)} + after.raw;
}
inline uint64_t checksum_delta(be32 before, be32 after) {
  const uint32_t gone = ~before.raw;
  return uint64_t{gone & 0xffff} + (gone >> 16) + (after.raw & 0xffff) + (after.raw >> 16);
}

// The same with a delta that is folded.
inline be16 update_checksum(be16 checksum, uint16_t delta) {
  return {
      static_cast<uint16_t>(~fold_word(uint64_t{static_cast<uint16_t>(~checksum.raw)} + delta))};
}
inline be16 update_checksum(be16 checksum, uint64_t delta) {
  const uint64_t sum = static_cast<uint16_t>(~checksum.raw) + delta;
  return {static_cast<uint16_t>(~fold(sum))};
}

// Unfolded sum over bytes; an odd last byte counts as if a zero byte followed.
inline uint64_t checksum_sum(const uint8_t* bytes, size_t length) {
  uint64_t sum = 0;
  size_t at = 0;
  for (; at + 4 <= length; at += 4) {
    uint32_t word;
    std::memcpy(&word, bytes + at, 4);
    sum += word;
  }
  for (; at < length; at += 2) {
    uint16_t word = 0;
    std::memcpy(&word, bytes + at, length - at < 2 ? 1 : 2);
    sum += word;
  }
  return sum;
}

// The whole checksum; `sum` carries what is not in `bytes`, such as a pseudo header.
inline be16 full_checksum(const uint8_t* bytes, size_t length, uint64_t sum = 0) {
  return {static_cast<uint16_t>(~fold(sum + checksum_sum(bytes, length)))};
}

}  // namespace sluice
