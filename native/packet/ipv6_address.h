// SPDX-License-Identifier: Apache-2.0
// Kinds of IPv6 addresses (RFC 4291), and those that are made of others.
#pragma once

#include <cstdint>
#include <cstring>

#include "base/family.h"

namespace sluice {

inline constexpr Address kAllNodes{{0xff, 0x02, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}};
// Of ff02::1:ff00:0/104: the last three bytes are those of the address that is asked for.
inline constexpr Address kSolicitedNode{{0xff, 0x02, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0xff, 0, 0, 0}};
inline constexpr uint8_t kSolicitedNodeBits = 104;

inline bool is_multicast(const Address& address) { return address.bytes[0] == 0xff; }
inline bool is_link_local(const Address& address) {
  return address.bytes[0] == 0xfe && (address.bytes[1] & 0xc0) == 0x80;
}
inline bool is_loopback(const Address& address) {
  static constexpr Address kLoopback{{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}};
  return address == kLoopback;
}

inline Address solicited_node(const Address& target) {
  Address group = kSolicitedNode;
  std::memcpy(group.bytes + 13, target.bytes + 13, 3);
  return group;
}

// fe80::/64 with the EUI-64 of a MAC (RFC 4291, appendix A).
inline Address link_local_of(const uint8_t mac[6]) {
  return {{0xfe, 0x80, 0, 0, 0, 0, 0, 0, static_cast<uint8_t>(mac[0] ^ 2), mac[1], mac[2], 0xff,
           0xfe, mac[3], mac[4], mac[5]}};
}

}  // namespace sluice
