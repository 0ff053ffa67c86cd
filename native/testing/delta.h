// SPDX-License-Identifier: Apache-2.0
// Builds deltas row by row, for tests.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <vector>

#include "base/endian.h"
#include "config/program.h"

namespace sluice {

constexpr uint32_t ip(uint8_t a, uint8_t b, uint8_t c, uint8_t d) {
  return uint32_t{a} << 24 | uint32_t{b} << 16 | uint32_t{c} << 8 | d;
}

inline void append_mapped(std::vector<uint8_t>& column, uint32_t address) {
  column.insert(column.end(), 10, 0);
  column.insert(column.end(), 2, 0xff);
  for (int shift = 24; shift >= 0; shift -= 8) {
    column.push_back(static_cast<uint8_t>(address >> shift));
  }
}

struct BackendSpec {
  uint32_t slot;
  uint32_t address;
  uint16_t port;
  uint16_t weight = 1;
};

// A delta under construction.
struct Delta : ProgramDelta {
  Delta& frontend(uint32_t slot, uint32_t address, uint16_t port, uint8_t protocol, uint32_t pool) {
    frontends.slot.push_back(slot);
    append_mapped(frontends.address, address);
    frontends.port.push_back(port);
    frontends.protocol.push_back(protocol);
    frontends.pool.push_back(pool);
    return *this;
  }
  Delta& pool(uint32_t slot, std::vector<BackendSpec> rows) {
    pools.slot.push_back(slot);
    pools.first.push_back(static_cast<uint32_t>(backends.slot.size()));
    pools.count.push_back(static_cast<uint32_t>(rows.size()));
    for (const BackendSpec& row : rows) {
      backends.slot.push_back(row.slot);
      append_mapped(backends.address, row.address);
      backends.port.push_back(row.port);
      backends.weight.push_back(row.weight);
    }
    return *this;
  }
  Delta& route(uint32_t prefix, uint8_t length, uint16_t interface, uint32_t gateway = 0,
               std::initializer_list<uint8_t> mac = {0, 0, 0, 0, 0, 0}) {
    append_mapped(routes.prefix, prefix);
    routes.length.push_back(length);
    routes.interface.push_back(interface);
    if (gateway == 0) {
      routes.gateway.insert(routes.gateway.end(), 16, 0);
    } else {
      append_mapped(routes.gateway, gateway);
    }
    routes.mac.insert(routes.mac.end(), mac);
    return *this;
  }
  Delta& remove_route(uint32_t prefix, uint8_t length) {
    append_mapped(removedRoutes.prefix, prefix);
    removedRoutes.length.push_back(length);
    return *this;
  }
  Delta& address(uint16_t interface, uint32_t own, uint8_t length) {
    addresses_given = true;
    addresses.interface.push_back(interface);
    append_mapped(addresses.address, own);
    addresses.length.push_back(length);
    return *this;
  }
};

}  // namespace sluice
