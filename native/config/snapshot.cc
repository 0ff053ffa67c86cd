// SPDX-License-Identifier: Apache-2.0
#include "config/snapshot.h"

#include <algorithm>

#include "packet/ipv6_address.h"

namespace sluice {
namespace {

template <class F>
bool any_holds(const std::vector<Prefix<F>>& networks, const typename F::Address& address) {
  return std::any_of(networks.begin(), networks.end(),
                     [&](const Prefix<F>& network) { return network.holds(address); });
}

bool is_for_one_link(be32) { return false; }
bool is_for_one_link(const Address& address) { return is_link_local(address); }

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

template <class F>
Snapshot::Way Snapshot::find_way(const typename F::Address& destination, uint32_t hash) const {
  if (is_host<F>(destination)) return {kHostNextHop, false};
  const uint32_t slot = of<F>().routes->lookup(destination);
  return choose(slot == kNoRoute ? kNoGroup : slot, hash);
}

Snapshot::Way Snapshot::choose_among(uint32_t slot, uint32_t hash) const {
  if (slot >= groups.size() || groups[slot].hops.empty()) return {kNoNextHop, false};
  const NextHopGroup& group = groups[slot];
  const uint32_t bucket = EcmpTable::bucket_of(hash);
  const uint32_t owner = group.choice->owner(bucket);
  const auto is_live = [&](uint32_t row) {
    return is_usable(next_hops[group.hops[row]].interface);
  };
  if (is_live(owner)) return {group.hops[owner], false};
  const std::optional<uint32_t> other = group.choice->best(bucket, is_live);
  return {group.hops[other.value_or(owner)], other.has_value()};
}

template <class F>
const typename F::Address* Snapshot::source_towards(uint16_t interface,
                                                    const typename F::Address& next_hop) const {
  const typename F::Address* first = nullptr;
  for (const Prefix<F>& own : interfaces[interface].addresses<F>()) {
    if (is_for_one_link(own.address)) continue;
    if (own.holds(next_hop)) return &own.address;
    if (first == nullptr) first = &own.address;
  }
  if (first != nullptr) return first;
  for (const typename F::Address& own : of<F>().node_addresses) {
    if (!is_for_one_link(own)) return &own;
  }
  return nullptr;
}

template Snapshot::Way Snapshot::find_way<Ipv4>(const be32&, uint32_t) const;
template Snapshot::Way Snapshot::find_way<Ipv6>(const Address&, uint32_t) const;
template const be32* Snapshot::source_towards<Ipv4>(uint16_t, const be32&) const;
template const Address* Snapshot::source_towards<Ipv6>(uint16_t, const Address&) const;
template struct FamilyView<Ipv4>;
template struct FamilyView<Ipv6>;

}  // namespace sluice
