// SPDX-License-Identifier: Apache-2.0
#include "table/routes.h"

#include <rte_fib.h>
#include <rte_fib6.h>
#include <rte_memory.h>

#include <atomic>
#include <cstdio>

namespace sluice {
namespace {

// DPDK's functions for each family, under one name.
template <class F>
struct Fib;

template <>
struct Fib<Ipv4> {
  using Table = rte_fib;
  using Configuration = rte_fib_conf;
  static void choose_type(rte_fib_conf& conf) {
    conf.type = RTE_FIB_DUMMY;
    const auto routes = static_cast<uint32_t>(conf.max_routes);
    if (routes <= kWalkedRoutes) return;
    conf.type = RTE_FIB_DIR24_8;
    conf.dir24_8 = {RTE_FIB_DIR24_8_4B, max_long_routes(routes)};
  }
  static constexpr auto create = rte_fib_create;
  static constexpr auto free = rte_fib_free;
  static int add(Table* table, be32 prefix, uint8_t length, uint32_t next_hop) {
    return rte_fib_add(table, prefix.host(), length, next_hop);
  }
  static int remove(Table* table, be32 prefix, uint8_t length) {
    return rte_fib_delete(table, prefix.host(), length);
  }
  static void lookup(Table* table, be32 address, uint64_t* next_hop) {
    uint32_t host = address.host();
    rte_fib_lookup_bulk(table, &host, next_hop, 1);
  }
};

template <>
struct Fib<Ipv6> {
  using Table = rte_fib6;
  using Configuration = rte_fib6_conf;
  static void choose_type(rte_fib6_conf& conf) { conf.type = RTE_FIB6_DUMMY; }
  static constexpr auto create = rte_fib6_create;
  static constexpr auto free = rte_fib6_free;
  static int add(Table* table, const Address& prefix, uint8_t length, uint32_t next_hop) {
    return rte_fib6_add(table, prefix.bytes, length, next_hop);
  }
  static int remove(Table* table, const Address& prefix, uint8_t length) {
    return rte_fib6_delete(table, prefix.bytes, length);
  }
  static void lookup(Table* table, Address address, uint64_t* next_hop) {
    rte_fib6_lookup_bulk(table, &address.bytes, next_hop, 1);
  }
};

template <class F>
typename Fib<F>::Table* table_of(void* fib) {
  return static_cast<typename Fib<F>::Table*>(fib);
}

}  // namespace

template <class F>
std::unique_ptr<RouteTable<F>> RouteTable<F>::create(uint32_t max_routes) {
  static std::atomic<uint32_t> made{0};  // DPDK wants a name of its own for each
  char name[32];
  std::snprintf(name, sizeof(name), "sluice%u_%u", F::kVersion, made.fetch_add(1));
  typename Fib<F>::Configuration conf{};
  conf.default_nh = kNoRoute;
  conf.max_routes = static_cast<int>(max_routes);
  Fib<F>::choose_type(conf);
  auto* fib = Fib<F>::create(name, SOCKET_ID_ANY, &conf);
  if (fib == nullptr) return nullptr;
  return std::unique_ptr<RouteTable>(new RouteTable(fib));
}

template <class F>
RouteTable<F>::~RouteTable() {
  Fib<F>::free(table_of<F>(fib_));
}

template <class F>
bool RouteTable<F>::put(const typename F::Address& prefix, uint8_t length, uint32_t group) {
  return Fib<F>::add(table_of<F>(fib_), prefix, length, group) == 0;
}

template <class F>
bool RouteTable<F>::remove(const typename F::Address& prefix, uint8_t length) {
  return Fib<F>::remove(table_of<F>(fib_), prefix, length) == 0;
}

template <class F>
uint32_t RouteTable<F>::lookup(const typename F::Address& address) const {
  uint64_t group = kNoRoute;
  Fib<F>::lookup(table_of<F>(fib_), address, &group);
  return static_cast<uint32_t>(group);
}

template class RouteTable<Ipv4>;
template class RouteTable<Ipv6>;

}  // namespace sluice
