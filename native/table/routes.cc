// SPDX-License-Identifier: Apache-2.0
#include "table/routes.h"

#include <rte_fib.h>
#include <rte_memory.h>

#include <atomic>
#include <cstdio>

namespace sluice {

std::unique_ptr<RouteTable> RouteTable::create(uint32_t max_routes) {
  static std::atomic<uint32_t> made{0};  // DPDK wants a name of its own for each
  char name[32];
  std::snprintf(name, sizeof(name), "sluice_%u", made.fetch_add(1));
  rte_fib_conf conf{};
  conf.type = RTE_FIB_DUMMY;
  conf.default_nh = kNoNextHop;
  conf.max_routes = static_cast<int>(max_routes);
  rte_fib* fib = rte_fib_create(name, SOCKET_ID_ANY, &conf);
  if (fib == nullptr) return nullptr;
  return std::unique_ptr<RouteTable>(new RouteTable(fib));
}

RouteTable::~RouteTable() { rte_fib_free(fib_); }

bool RouteTable::put(be32 prefix, uint8_t length, uint32_t next_hop) {
  return rte_fib_add(fib_, prefix.host(), length, next_hop) == 0;
}

bool RouteTable::remove(be32 prefix, uint8_t length) {
  return rte_fib_delete(fib_, prefix.host(), length) == 0;
}

uint32_t RouteTable::lookup(be32 address) const {
  uint32_t host = address.host();
  uint64_t next_hop = kNoNextHop;
  rte_fib_lookup_bulk(fib_, &host, &next_hop, 1);
  return static_cast<uint32_t>(next_hop);
}

}  // namespace sluice
