// SPDX-License-Identifier: Apache-2.0
#include "config/snapshot.h"

#include <algorithm>

namespace sluice {
namespace {

template <class F>
bool any_holds(const std::vector<Prefix<F>>& networks, const typename F::Address& address) {
  return std::any_of(networks.begin(), networks.end(),
                     [&](const Prefix<F>& network) { return network.holds(address); });
}

}  // namespace

bool Pool::is_eligible(uint32_t backend_slot) const {
  return std::binary_search(eligible.begin(), eligible.end(), backend_slot);
}

template <class F>
bool FamilyView<F>::is_pod(const typename F::Address& source) const {
  return any_holds<F>(pod_networks, source);
}

template <class F>
bool FamilyView<F>::is_service_network(const typename F::Address& destination) const {
  return any_holds<F>(service_networks, destination);
}

template struct FamilyView<Ipv4>;
template struct FamilyView<Ipv6>;

}  // namespace sluice
