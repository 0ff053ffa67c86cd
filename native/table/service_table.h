// SPDX-License-Identifier: Apache-2.0
// Exact match of (address, port, protocol) to a frontend, and of an address alone ("is it a
// cluster address?"). Open addressing, at most half full: one probe sequence per lookup, constant
// in the number of services. Putting and removing cost one row, but for the doubling of a table
// that has become full, and are for who has the table alone (config/left_right.h).
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "base/family.h"

namespace sluice {

enum class Scope : uint8_t { pod, node, outside };
inline constexpr uint32_t kScopes = 3;

enum class FrontendKind : uint8_t { cluster, external, node_port };

template <class F>
struct Frontend {
  typename F::Address address;
  be16 port;
  uint8_t protocol;
  FrontendKind kind;
  uint8_t masquerade;  // bits 1 << Scope
  uint32_t slot;
  uint32_t service;
  uint32_t pools[kScopes];
  uint32_t affinity_s;            // 0: none
  std::vector<Prefix<F>> ranges;  // sources that are admitted; empty: everybody
  bool closed = false;            // has ranges, but none of this family: nobody

  bool masquerades(Scope scope) const { return masquerade >> static_cast<int>(scope) & 1; }
  bool admits(const typename F::Address& source) const;
};

template <class F>
class ServiceTable {
 public:
  ServiceTable();

  // Precondition: no frontend has its address, port and protocol.
  void put(Frontend<F> frontend);
  // Precondition: there is such a frontend.
  void remove(const typename F::Address& address, be16 port, uint8_t protocol);

  // Null: no such frontend.
  const Frontend<F>* find(const typename F::Address& address, be16 port, uint8_t protocol) const;
  bool has_cluster_address(const typename F::Address& address) const;
  const std::vector<Frontend<F>>& frontends() const { return frontends_; }  // in no order

 private:
  // An address of frontends of kind cluster.
  struct ClusterAddress {
    typename F::Address address{};
    uint32_t frontends = 0;  // how many have it; 0: an empty row
  };

  uint32_t place_of(const typename F::Address& address, be16 port, uint8_t protocol) const;
  uint32_t place_of(const typename F::Address& address) const;
  void point_to(size_t index);
  void count(const typename F::Address& address);
  void uncount(const typename F::Address& address);

  std::vector<Frontend<F>> frontends_;
  std::vector<uint32_t> by_key_;  // index into frontends_ + 1; 0: empty
  std::vector<ClusterAddress> cluster_addresses_;
  uint32_t cluster_addresses_used_ = 0;
  uint32_t key_mask_;
  uint32_t address_mask_;
};

extern template class ServiceTable<Ipv4>;
extern template class ServiceTable<Ipv6>;

}  // namespace sluice
