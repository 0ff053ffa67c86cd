// SPDX-License-Identifier: Apache-2.0
// Theory of operation. The left-right pair of route tables of a family. Changes are noted;
// publish() makes them in the table that nobody reads and names it; settle() makes them in the
// other one, once the workers have left it. Control thread only.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "base/family.h"
#include "table/routes.h"

namespace sluice {

template <class F>
class RoutePair {
 public:
  bool open(uint32_t max_routes);  // false: no memory

  // The caller keeps to the number of routes, and removes only what is there.
  void put(const typename F::Address& prefix, uint8_t length, uint32_t group) {
    changes_.push_back({prefix, length, group});
  }
  void remove(const typename F::Address& prefix, uint8_t length) {
    changes_.push_back({prefix, length, kNoRoute});
  }
  // The table to read from now on.
  const RouteTable<F>* publish();
  // Precondition: nobody reads the table before the last one that was published.
  void settle();

 private:
  struct Change {
    typename F::Address prefix;
    uint8_t length;
    uint32_t group;  // kNoRoute: removal
  };
  void bring_up_to_date(RouteTable<F>& table) const;

  std::unique_ptr<RouteTable<F>> tables_[2];
  uint32_t active_ = 0;          // of `tables_`: the one that the newest snapshot names
  std::vector<Change> changes_;  // that the other table has not seen
};

extern template class RoutePair<Ipv4>;
extern template class RoutePair<Ipv6>;

}  // namespace sluice
