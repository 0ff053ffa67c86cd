// SPDX-License-Identifier: Apache-2.0
// Exact match of (address, port, protocol) to a frontend, and of an address alone ("is it a
// cluster address?"). Immutable after build: open addressing, at most half full, one probe sequence
// per lookup, constant in the number of services.
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
  explicit ServiceTable(std::vector<Frontend<F>> frontends);

  // Null: no such frontend.
  const Frontend<F>* find(const typename F::Address& address, be16 port, uint8_t protocol) const;
  bool has_cluster_address(const typename F::Address& address) const;
  const std::vector<Frontend<F>>& frontends() const { return frontends_; }

 private:
  std::vector<Frontend<F>> frontends_;
  std::vector<uint32_t> by_key_;      // index into frontends_ + 1; 0: empty
  std::vector<uint32_t> by_address_;  // the same, of frontends of kind cluster
  uint32_t key_mask_ = 0;
  uint32_t address_mask_ = 0;
};

extern template class ServiceTable<Ipv4>;
extern template class ServiceTable<Ipv6>;

}  // namespace sluice
