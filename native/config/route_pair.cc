// SPDX-License-Identifier: Apache-2.0
#include "config/route_pair.h"

#include <cstdio>
#include <cstdlib>

namespace sluice {

template <class F>
bool RoutePair<F>::open(uint32_t max_routes) {
  for (Table& table : pair_.sides()) {
    table = RouteTable<F>::create(max_routes);
    if (table == nullptr) return false;
  }
  return true;
}

template <class F>
void RoutePair<F>::Change::make(Table& table) const {
  const bool done =
      group == kNoRoute ? table->remove(prefix, length) : table->put(prefix, length, group);
  if (done) return;
  // The delta was checked and the table has room for the limit: its memory must be corrupt.
  std::fprintf(stderr, "sluice: route table out of step with the program\n");
  std::abort();
}

template class RoutePair<Ipv4>;
template class RoutePair<Ipv6>;

}  // namespace sluice
