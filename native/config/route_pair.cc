// SPDX-License-Identifier: Apache-2.0
#include "config/route_pair.h"

#include <cstdio>
#include <cstdlib>

namespace sluice {

template <class F>
bool RoutePair<F>::open(uint32_t max_routes) {
  for (auto& table : tables_) {
    table = RouteTable<F>::create(max_routes);
    if (table == nullptr) return false;
  }
  return true;
}

template <class F>
const RouteTable<F>* RoutePair<F>::publish() {
  if (!changes_.empty()) {
    active_ ^= 1;
    bring_up_to_date(*tables_[active_]);
  }
  return tables_[active_].get();
}

template <class F>
void RoutePair<F>::settle() {
  if (changes_.empty()) return;
  bring_up_to_date(*tables_[active_ ^ 1]);
  changes_.clear();
}

template <class F>
void RoutePair<F>::bring_up_to_date(RouteTable<F>& table) const {
  for (const Change& change : changes_) {
    const bool done = change.group == kNoRoute
                          ? table.remove(change.prefix, change.length)
                          : table.put(change.prefix, change.length, change.group);
    if (done) continue;
    // The delta was checked and the table has room for the limit: its memory must be corrupt.
    std::fprintf(stderr, "sluice: route table out of step with the program\n");
    std::abort();
  }
}

template class RoutePair<Ipv4>;
template class RoutePair<Ipv6>;

}  // namespace sluice
