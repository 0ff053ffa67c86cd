// SPDX-License-Identifier: Apache-2.0
// Longest-prefix match: prefix -> slot of a group of next hops. Wraps rte_fib and rte_fib6. A table
// for few routes walks DPDK's RIB: next to no memory, and a lookup costs the more the more routes
// there are. One for many IPv4 routes is DIR24_8: a lookup costs a cache line or two, and 64 MiB
// are taken to begin with. Readers and the writer never meet: see ProgramState's left-right pair.
// Needs the EAL for its memory.
#pragma once

#include <cstdint>
#include <memory>

#include "base/family.h"

namespace sluice {

inline constexpr uint32_t kNoRoute = 0x7fffffff;  // what a look-up without a match gives

// Up to so many routes (the limit, not their number) a table is a RIB that is walked; IPv6 always:
// DPDK's trie reserves three small tables of 1 KiB for a /48, which is 3 GB for a million routes.
inline constexpr uint32_t kWalkedRoutes = 65'536;

// How many IPv4 routes of more than 24 bits such a table takes at most; next to none of the world's
// routes are. Each may need a small table of 1 KiB, and these are there from the start.
constexpr uint32_t max_long_routes(uint32_t max_routes) {
  return max_routes <= kWalkedRoutes ? max_routes : max_routes / 16;
}

template <class F>
class RouteTable {
 public:
  // Null where DPDK has no memory left.
  static std::unique_ptr<RouteTable> create(uint32_t max_routes);
  ~RouteTable();
  RouteTable(const RouteTable&) = delete;
  RouteTable& operator=(const RouteTable&) = delete;

  bool put(const typename F::Address& prefix, uint8_t length, uint32_t group);
  bool remove(const typename F::Address& prefix, uint8_t length);
  uint32_t lookup(const typename F::Address& address) const;  // kNoRoute: no route

 private:
  explicit RouteTable(void* fib) : fib_(fib) {}
  void* fib_;  // rte_fib or rte_fib6
};

extern template class RouteTable<Ipv4>;
extern template class RouteTable<Ipv6>;

}  // namespace sluice
