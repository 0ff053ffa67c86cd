// SPDX-License-Identifier: Apache-2.0
// CRC32C (Castagnoli, reflected), without final inversion: the hash of flows, Maglev and affinity,
// and what SCTP's checksum is made of. SSE4.2 where the build has it, else a table; both give the
// same result.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#if defined(__SSE4_2__)
#include <nmmintrin.h>
#endif

namespace sluice {

inline constexpr uint32_t kCrcInitial = 0xffffffff;

uint32_t crc32c(const void* bytes, size_t length, uint32_t crc = kCrcInitial);
uint32_t crc32c_portable(const void* bytes, size_t length, uint32_t crc = kCrcInitial);

// The CRC after `length` further bytes of zero, in a number of steps logarithmic in the length.
uint32_t crc32c_zeros(uint32_t crc, uint32_t length);

// Inline form for a flow's key, as it lies in memory: an instruction for each word.
template <size_t kWords>
uint32_t crc32c_words(const uint64_t (&words)[kWords]) {
#if defined(__SSE4_2__)
  uint64_t crc = kCrcInitial;
  for (uint64_t word : words) crc = _mm_crc32_u64(crc, word);
  return static_cast<uint32_t>(crc);
#else
  return crc32c_portable(words, sizeof(words));
#endif
}

}  // namespace sluice
