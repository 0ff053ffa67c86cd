// SPDX-License-Identifier: Apache-2.0
// The left-right pair of route tables of a family. Control thread only.
#pragma once

#include <cstdint>
#include <memory>

#include "base/family.h"
#include "config/left_right.h"
#include "table/routes.h"

namespace sluice {

template <class F>
class RoutePair {
 public:
  bool open(uint32_t max_routes);  // false: no memory

  // The caller keeps to the number of routes, and removes only what is there.
  void put(const typename F::Address& prefix, uint8_t length, uint32_t group) {
    pair_.change({prefix, length, group});
  }
  void remove(const typename F::Address& prefix, uint8_t length) {
    pair_.change({prefix, length, kNoRoute});
  }
  const RouteTable<F>* publish() { return pair_.publish().get(); }
  void settle() { pair_.settle(); }

 private:
  using Table = std::unique_ptr<RouteTable<F>>;
  struct Change {
    typename F::Address prefix;
    uint8_t length;
    uint32_t group;  // kNoRoute: removal

    void make(Table& table) const;
  };

  LeftRight<Table, Change> pair_;
};

extern template class RoutePair<Ipv4>;
extern template class RoutePair<Ipv6>;

}  // namespace sluice
