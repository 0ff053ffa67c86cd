// SPDX-License-Identifier: Apache-2.0
// One change of the program, as it comes over the boundary: the twin of ProgramDelta in
// lib/compile/program.ts, column by column. A test holds the two lists together.
#pragma once

#include <cstdint>
#include <vector>

namespace sluice {

// X(table, column, element type)
#define SLUICE_PROGRAM_COLUMNS(X, LIST) \
  X(frontends, slot, uint32_t)          \
  X(frontends, address, uint8_t)        \
  X(frontends, port, uint16_t)          \
  X(frontends, protocol, uint8_t)       \
  X(frontends, pool, uint32_t)          \
  LIST(removedFrontends, uint32_t)      \
  X(pools, slot, uint32_t)              \
  X(pools, first, uint32_t)             \
  X(pools, count, uint32_t)             \
  X(backends, slot, uint32_t)           \
  X(backends, address, uint8_t)         \
  X(backends, port, uint16_t)           \
  X(backends, weight, uint16_t)         \
  LIST(removedPools, uint32_t)          \
  X(routes, prefix, uint8_t)            \
  X(routes, length, uint8_t)            \
  X(routes, interface, uint16_t)        \
  X(routes, gateway, uint8_t)           \
  X(routes, mac, uint8_t)               \
  X(removedRoutes, prefix, uint8_t)     \
  X(removedRoutes, length, uint8_t)     \
  X(addresses, interface, uint16_t)     \
  X(addresses, address, uint8_t)        \
  X(addresses, length, uint8_t)

struct ProgramDelta {
  struct {
    std::vector<uint32_t> slot;
    std::vector<uint8_t> address;
    std::vector<uint16_t> port;
    std::vector<uint8_t> protocol;
    std::vector<uint32_t> pool;
  } frontends;
  std::vector<uint32_t> removedFrontends;
  struct {
    std::vector<uint32_t> slot, first, count;
  } pools;
  struct {
    std::vector<uint32_t> slot;
    std::vector<uint8_t> address;
    std::vector<uint16_t> port, weight;
  } backends;
  std::vector<uint32_t> removedPools;
  struct {
    std::vector<uint8_t> prefix, length;
    std::vector<uint16_t> interface;
    std::vector<uint8_t> gateway, mac;
  } routes;
  struct {
    std::vector<uint8_t> prefix, length;
  } removedRoutes;
  struct {
    std::vector<uint16_t> interface;
    std::vector<uint8_t> address, length;
  } addresses;
  bool addresses_given = false;  // false: the table stays as it is
};

}  // namespace sluice
