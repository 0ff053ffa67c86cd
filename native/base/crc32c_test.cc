// SPDX-License-Identifier: Apache-2.0
#include "base/crc32c.h"

#include <doctest/doctest.h>

#include <random>
#include <vector>

namespace sluice {

TEST_CASE("known vectors (RFC 3720, B.4), before the final inversion") {
  CHECK(crc32c("123456789", 9) == ~0xe3069283u);
  std::vector<uint8_t> bytes(32, 0);
  CHECK(crc32c(bytes.data(), 32) == ~0x8a9136aau);
  bytes.assign(32, 0xff);
  CHECK(crc32c(bytes.data(), 32) == ~0x62a8ab43u);
  for (uint8_t i = 0; i < 32; i++) bytes[i] = i;
  CHECK(crc32c(bytes.data(), 32) == ~0x46dd794eu);
}

TEST_CASE("hardware and portable agree for every length, alignment and start") {
  std::mt19937 random(1);
  std::vector<uint8_t> bytes(128);
  for (auto& byte : bytes) byte = static_cast<uint8_t>(random());
  for (size_t offset = 0; offset < 9; offset++) {
    for (size_t length = 0; length + offset <= bytes.size(); length++) {
      const auto start = static_cast<uint32_t>(random());
      REQUIRE(crc32c(&bytes[offset], length, start) ==
              crc32c_portable(&bytes[offset], length, start));
    }
    uint64_t words[2];
    std::memcpy(words, &bytes[offset], sizeof(words));
    REQUIRE(crc32c_words(words) == crc32c_portable(words, sizeof(words)));
  }
}

TEST_CASE("a sum can be continued") {
  CHECK(crc32c("456789", 6, crc32c("123", 3)) == crc32c("123456789", 9));
}

TEST_CASE("zeros can be counted instead of read") {
  const std::vector<uint8_t> zeros(70'000);
  std::mt19937 random(2);
  for (uint32_t length : {0u, 1u, 2u, 3u, 7u, 8u, 255u, 256u, 1479u, 65'535u, 70'000u}) {
    const auto start = static_cast<uint32_t>(random());
    INFO(length);
    CHECK(crc32c_zeros(start, length) == crc32c(zeros.data(), length, start));
  }
}

}  // namespace sluice
