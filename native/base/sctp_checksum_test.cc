// SPDX-License-Identifier: Apache-2.0
#include "base/sctp_checksum.h"

#include <doctest/doctest.h>

#include <random>
#include <vector>

namespace sluice {

TEST_CASE("a known packet: the lowest byte of the CRC comes first") {
  // A HEARTBEAT ACK; the checksum was computed bit by bit.
  const uint8_t packet[] = {0x13, 0x88, 0x00, 0x50, 0x01, 0x02, 0x03, 0x04,
                            0x00, 0x00, 0x00, 0x00, 0x05, 0x00, 0x00, 0x04};
  CHECK(sctp_checksum(packet, sizeof(packet)).host() == 0x6b1affad);
}

TEST_CASE("what the field holds does not matter, and the shortest packet is a header") {
  std::vector<uint8_t> packet(12, 0x5a);
  const be32 checksum = sctp_checksum(packet.data(), packet.size());
  packet[9] ^= 0xff;
  CHECK(sctp_checksum(packet.data(), packet.size()) == checksum);
  packet[7] ^= 0xff;
  CHECK_FALSE(sctp_checksum(packet.data(), packet.size()) == checksum);
}

TEST_CASE("an update comes to what a whole computation does") {
  std::mt19937 random(3);
  for (uint32_t length : {12u, 16u, 17u, 1480u, 9000u, 65'515u}) {
    std::vector<uint8_t> packet(length);
    for (auto& byte : packet) byte = static_cast<uint8_t>(random());
    const be32 before = sctp_checksum(packet.data(), length);
    uint32_t old_ports, new_ports = static_cast<uint32_t>(random());
    std::memcpy(&old_ports, packet.data(), 4);
    std::memcpy(packet.data(), &new_ports, 4);
    CHECK(update_sctp_checksum(before, old_ports ^ new_ports, length) ==
          sctp_checksum(packet.data(), length));
  }
}

}  // namespace sluice
