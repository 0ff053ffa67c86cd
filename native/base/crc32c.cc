// SPDX-License-Identifier: Apache-2.0
#include "base/crc32c.h"

#include <array>

namespace sluice {
namespace {

constexpr uint32_t kPolynomial = 0x82f63b78;  // 0x1edc6f41, reflected

constexpr std::array<uint32_t, 256> kTable = [] {
  std::array<uint32_t, 256> table{};
  for (uint32_t byte = 0; byte < 256; byte++) {
    uint32_t crc = byte;
    for (int bit = 0; bit < 8; bit++) crc = (crc >> 1) ^ (crc & 1 ? kPolynomial : 0);
    table[byte] = crc;
  }
  return table;
}();

}  // namespace

uint32_t crc32c_portable(const void* bytes, size_t length, uint32_t crc) {
  const auto* at = static_cast<const uint8_t*>(bytes);
  for (size_t i = 0; i < length; i++) crc = (crc >> 8) ^ kTable[(crc ^ at[i]) & 0xff];
  return crc;
}

#if defined(__SSE4_2__)
uint32_t crc32c(const void* bytes, size_t length, uint32_t crc) {
  const auto* at = static_cast<const uint8_t*>(bytes);
  for (; length >= 8; at += 8, length -= 8) {
    uint64_t word;
    std::memcpy(&word, at, 8);
    crc = static_cast<uint32_t>(_mm_crc32_u64(crc, word));
  }
  for (; length > 0; at++, length--) crc = _mm_crc32_u8(crc, *at);
  return crc;
}
#else
uint32_t crc32c(const void* bytes, size_t length, uint32_t crc) {
  return crc32c_portable(bytes, length, crc);
}
#endif

}  // namespace sluice
