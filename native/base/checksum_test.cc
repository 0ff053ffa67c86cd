// SPDX-License-Identifier: Apache-2.0
#include "base/checksum.h"

#include <doctest/doctest.h>

#include <random>
#include <vector>

namespace sluice {

TEST_CASE("RFC 1071's example") {
  const uint8_t bytes[] = {0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7};
  CHECK(full_checksum(bytes, 8) == be16::from_host(static_cast<uint16_t>(~0xddf2)));
}

TEST_CASE("an odd last byte counts as the upper half of a word") {
  const uint8_t odd[] = {0x12, 0x34, 0x56}, even[] = {0x12, 0x34, 0x56, 0x00};
  CHECK(full_checksum(odd, 3) == full_checksum(even, 4));
}

TEST_CASE("the incremental update equals the full sum") {
  std::mt19937 random(2);
  for (int round = 0; round < 20000; round++) {
    uint8_t bytes[40];
    for (auto& byte : bytes) byte = static_cast<uint8_t>(random() % 4 ? random() : 0xff);
    bytes[0] = 0x45;  // never all zero, as no header is
    const be16 before = full_checksum(bytes, sizeof(bytes));

    be32 address, new_address{static_cast<uint32_t>(random())};
    be16 port, new_port{static_cast<uint16_t>(random())};
    const size_t at = 4 + 4 * (random() % 8);
    std::memcpy(&address, bytes + at, 4);
    std::memcpy(&port, bytes + 38, 2);
    std::memcpy(bytes + at, &new_address, 4);
    std::memcpy(bytes + 38, &new_port, 2);
    const uint64_t delta = checksum_delta(address, new_address) + checksum_delta(port, new_port);

    REQUIRE(update_checksum(before, delta) == full_checksum(bytes, sizeof(bytes)));
    REQUIRE(update_checksum(before, fold(delta)) == full_checksum(bytes, sizeof(bytes)));
  }
}

TEST_CASE("RFC 1624's example: the update does not give the second zero") {
  const be16 before = be16::from_host(0xdd2f);
  const uint64_t delta = checksum_delta(be16::from_host(0x5555), be16::from_host(0x3285));
  CHECK(update_checksum(before, delta) == be16::from_host(0x0000));
}

}  // namespace sluice
