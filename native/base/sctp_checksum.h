// SPDX-License-Identifier: Apache-2.0
// SCTP's checksum (RFC 9260, appendix A): CRC32c over the packet with the field itself as zero,
// with final inversion, the lowest byte first.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/crc32c.h"
#include "base/endian.h"

namespace sluice {

// `packet` begins with the common header, whose 12 bytes are there; whatever the field holds is
// taken as zero.
inline be32 sctp_checksum(const uint8_t* packet, size_t length) {
  constexpr uint8_t kField[4] = {};
  uint32_t crc = crc32c(packet, 8);
  crc = crc32c(kField, sizeof(kField), crc);
  return {~crc32c(packet + 12, length - 12, crc)};
}

// The checksum after the first four bytes (the ports) have changed by `changed`, old ^ new as they
// lie in memory. A CRC is linear: the rest of the packet need not be read.
inline be32 update_sctp_checksum(be32 checksum, uint32_t changed, uint32_t length) {
  const uint32_t crc = crc32c(&changed, sizeof(changed), 0);
  return {checksum.raw ^ crc32c_zeros(crc, length - 4)};
}

}  // namespace sluice
