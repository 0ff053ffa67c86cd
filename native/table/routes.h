// SPDX-License-Identifier: Apache-2.0
// Longest-prefix match, IPv4: prefix -> index of a next hop. Wraps rte_fib (RIB-backed type: cheap
// to change; looked up only by packets that no flow entry answers). Readers and the writer never
// meet: see ProgramState's left-right pair. Needs the EAL for its memory.
#pragma once

#include <cstdint>
#include <memory>

#include "base/endian.h"

struct rte_fib;

namespace sluice {

inline constexpr uint32_t kNoNextHop = 0x7fffffff;

class RouteTable {
 public:
  // Null where DPDK has no memory left.
  static std::unique_ptr<RouteTable> create(uint32_t max_routes);
  ~RouteTable();
  RouteTable(const RouteTable&) = delete;
  RouteTable& operator=(const RouteTable&) = delete;

  bool put(be32 prefix, uint8_t length, uint32_t next_hop);
  bool remove(be32 prefix, uint8_t length);
  uint32_t lookup(be32 address) const;  // kNoNextHop: no route

 private:
  explicit RouteTable(rte_fib* fib) : fib_(fib) {}
  rte_fib* fib_;
};

}  // namespace sluice
