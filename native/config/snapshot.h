// SPDX-License-Identifier: Apache-2.0
// What workers read: one immutable value. A commit makes a new one and publishes it with a single
// atomic store; the old one is freed when no worker can still read it (engine/publish).
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

#include "base/endian.h"
#include "table/routes.h"
#include "table/service_table.h"

namespace sluice {

struct BackendRow {
  be32 address;
  be16 port;
  uint16_t weight;
  uint32_t slot;
};

struct Pool {
  std::vector<BackendRow> backends;
  std::vector<uint32_t> maglev;  // rows of `backends`; empty: no backend of weight > 0
};

// A backend by slot, to tell whether a flow's backend is still the one it was.
struct BackendRecord {
  be32 address{};
  be16 port{};
  bool present = false;
  uint32_t pool = 0;
};

struct InterfaceAddress {
  be32 address;
  uint8_t length;
};

struct InterfaceView {
  bool present = false;
  uint8_t mac[6]{};
  uint16_t mtu = 0;
  const std::atomic<bool>* up = nullptr;  // the engine's; follows the peer without a commit
  std::vector<InterfaceAddress> addresses;
};

struct NextHop {
  uint16_t interface = 0;
  bool has_mac = false;
  uint8_t mac[6]{};
  be32 gateway{};  // zero: the destination itself
};

struct Snapshot {
  uint64_t generation = 0;
  std::shared_ptr<const ServiceTable> services;
  std::vector<std::shared_ptr<const Pool>> pools;  // by slot
  std::vector<BackendRecord> backends;             // by slot
  std::vector<InterfaceView> interfaces;           // by slot
  std::vector<NextHop> next_hops;
  const RouteTable* routes = nullptr;  // one of the pair that ProgramState owns
  std::vector<be32> own_addresses;     // sorted by raw value, no duplicates

  bool is_own_address(be32 address) const;
};

}  // namespace sluice
