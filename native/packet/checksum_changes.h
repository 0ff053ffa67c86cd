// SPDX-License-Identifier: Apache-2.0
// What changed words add to the delta of a checksum (RFC 1624). A word that stays what it was adds
// nothing, so that a checksum whose words all stay does so too.
#pragma once

#include <cstring>

#include "base/checksum.h"
#include "base/family.h"
#include "packet/headers.h"

namespace sluice {

inline uint64_t change(be16 before, be16 after) {
  return before == after ? 0 : checksum_delta(before, after);
}

inline uint64_t change(const void* before, const void* after, size_t words) {
  uint64_t delta = 0;
  for (size_t i = 0; i < words; i++) {
    be16 old_word, new_word;
    std::memcpy(&old_word, static_cast<const uint8_t*>(before) + 2 * i, 2);
    std::memcpy(&new_word, static_cast<const uint8_t*>(after) + 2 * i, 2);
    delta += change(old_word, new_word);
  }
  return delta;
}

inline uint64_t change(be32 before, be32 after) { return change(&before, &after, 2); }
inline uint64_t change(const Address& before, const Address& after) {
  return change(before.bytes, after.bytes, 8);
}

// Writes a field and returns what it adds.
template <typename Field>
uint64_t replace(Field& field, const Field& value) {
  const uint64_t delta = change(field, value);
  field = value;
  return delta;
}

// The header checksum after other words of the header have changed by `delta`; returns what it adds
// to the checksum of whoever quotes the header.
inline uint64_t update_header_checksum(Ipv4Header& ip, uint64_t delta) {
  return replace(ip.checksum, update_checksum(ip.checksum, delta));
}
inline uint64_t update_header_checksum(Ipv6Header&, uint64_t) { return 0; }

// Zero says that the sender of a UDP packet made no checksum (RFC 768): it stays, and none may come
// out as it.
template <class Delta>
be16 update_udp_checksum(be16 checksum, Delta delta) {
  if (checksum.raw == 0) return checksum;
  const be16 updated = update_checksum(checksum, delta);
  return updated.raw == 0 ? be16{0xffff} : updated;
}

}  // namespace sluice
