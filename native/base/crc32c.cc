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

// The product of two polynomials modulo the CRC's; bit 31 is x^0.
constexpr uint32_t multiply(uint32_t a, uint32_t b) {
  uint32_t product = 0;
  for (int bit = 31; bit >= 0; bit--) {
    product ^= b & (0u - ((a >> bit) & 1));
    b = (b >> 1) ^ (kPolynomial & (0u - (b & 1)));
  }
  return product;
}

// A byte of zero multiplies by x^8; row n is 2^n such bytes.
constexpr std::array<uint32_t, 32> kZeros = [] {
  std::array<uint32_t, 32> powers{};
  powers[0] = 1u << 23;
  for (size_t n = 1; n < powers.size(); n++) powers[n] = multiply(powers[n - 1], powers[n - 1]);
  return powers;
}();

}  // namespace

uint32_t crc32c_zeros(uint32_t crc, uint32_t length) {
  for (size_t n = 0; length != 0; n++, length >>= 1) {
    if (length & 1) crc = multiply(crc, kZeros[n]);
  }
  return crc;
}

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
