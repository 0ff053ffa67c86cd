// SPDX-License-Identifier: Apache-2.0
// Longest-prefix match: prefix -> slot of a group of next hops. Wraps rte_fib and rte_fib6
// (RIB-backed type: cheap to change; looked up only by packets that no flow entry answers). Readers
// and the writer never meet: see ProgramState's left-right pair. Needs the EAL for its memory.
#pragma once

#include <cstdint>
#include <memory>

#include "base/family.h"

namespace sluice {

inline constexpr uint32_t kNoRoute = 0x7fffffff;  // what a look-up without a match gives

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
