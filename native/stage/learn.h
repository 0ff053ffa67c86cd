// SPDX-License-Identifier: Apache-2.0
// What ARP and neighbour discovery have in common: whose addresses are ours, and who is remembered.
#pragma once

#include <algorithm>
#include <cstring>

#include "stage/context.h"

namespace sluice {

template <class F>
bool is_address_of(const InterfaceView& view, const typename F::Address& address) {
  const auto& own = view.addresses<F>();
  return std::any_of(own.begin(), own.end(),
                     [&](const Prefix<F>& prefix) { return prefix.address == address; });
}

// No station has such a MAC.
inline bool is_group_or_zero(const uint8_t mac[6]) {
  static constexpr uint8_t kZero[6] = {};
  return (mac[0] & 1) || std::memcmp(mac, kZero, 6) == 0;
}

// Confirms a neighbour; one that is not known yet only where `add` says so and there is room.
inline void learn(uint16_t interface, const Address& address, const uint8_t mac[6], bool add,
                  Context& context) {
  Neighbour* neighbour = context.neighbours->find(interface, address);
  if (neighbour == nullptr && add) neighbour = context.neighbours->find_or_add(interface, address);
  if (neighbour != nullptr) neighbour->learn(mac, context.now_ms);
}

}  // namespace sluice
