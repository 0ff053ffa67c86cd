// SPDX-License-Identifier: Apache-2.0
#include "stage/snat.h"

#include "base/mix.h"
#include "packet/ip.h"
#include "packet/ipv6_address.h"

namespace sluice {
namespace {

constexpr uint32_t kTries = 512;
constexpr uint32_t kStep = 0x9e3779b9;  // 2^32 divided by the golden ratio

bool is_for_one_link(be32) { return false; }
bool is_for_one_link(const Address& address) { return is_link_local(address); }

// The address whose network holds the next hop, else the first one. Null: none.
template <class F>
const typename F::Address* choose_address(const typename F::Address& next_hop,
                                          const InterfaceView& egress) {
  const typename F::Address* first = nullptr;
  for (const Prefix<F>& own : egress.addresses<F>()) {
    if (is_for_one_link(own.address)) continue;
    if (own.holds(next_hop)) return &own.address;
    if (first == nullptr) first = &own.address;
  }
  return first;
}

template <class F>
const typename F::Address* address_of_node(const Snapshot& snapshot) {
  for (const typename F::Address& own : snapshot.of<F>().node_addresses) {
    if (!is_for_one_link(own)) return &own;
  }
  return nullptr;
}

// Of the reply's five-tuple; `expired` is set where its entry has to be removed first.
template <class F>
bool is_free(const FiveTuple<F>& reply, const Packet& packet, uint32_t doomed,
             const Context& context, uint32_t& expired) {
  if (reply == packet.tuple<F>()) return false;
  const FlowTable<F>& flows = context.flows<F>();
  expired = flows.find(reply, flow_hash(reply));
  return expired == kNoFlow || expired / 2 == doomed / 2 || flows.expired(expired, context.now_s);
}

}  // namespace

template <class F>
SourceChoice<F> choose_source(const typename F::Address& backend, const Snapshot& snapshot) {
  const uint32_t index = snapshot.of<F>().routes->lookup(backend);
  if (index == kNoNextHop) return {DropReason::no_route, {}};
  const NextHop& hop = snapshot.next_hops[index];
  const typename F::Address next_hop = hop.gateway.is_zero() ? backend : F::from(hop.gateway);
  const typename F::Address* address =
      choose_address<F>(next_hop, snapshot.interfaces[hop.interface]);
  if (address == nullptr) address = address_of_node<F>(snapshot);
  if (address == nullptr) return {DropReason::snat_address_missing, {}};
  return {{}, *address};
}

template <class F>
PortChoice choose_port(const Packet& packet, FiveTuple<F> leaves, bool any_port, uint32_t doomed,
                       const Context& context) {
  const uint32_t lowest = context.limits->snat_port_min, highest = context.limits->snat_port_max;
  uint32_t expired = kNoFlow;
  const uint16_t own = leaves.source_port.host();
  if ((any_port || (own >= lowest && own <= highest)) &&
      is_free<F>(leaves.reversed(), packet, doomed, context, expired)) {
    return {true, leaves.source_port, expired};
  }
  for (uint32_t k = 1; k <= kTries; k++) {
    const uint32_t port = lowest + mix(packet.hash + k * kStep) % (highest - lowest + 1);
    leaves.source_port = be16::from_host(static_cast<uint16_t>(port));
    if (is_free<F>(leaves.reversed(), packet, doomed, context, expired)) {
      return {true, leaves.source_port, expired};
    }
  }
  return {false, {}, kNoFlow};
}

template SourceChoice<Ipv4> choose_source<Ipv4>(const be32&, const Snapshot&);
template SourceChoice<Ipv6> choose_source<Ipv6>(const Address&, const Snapshot&);
template PortChoice choose_port<Ipv4>(const Packet&, FiveTuple<Ipv4>, bool, uint32_t,
                                      const Context&);
template PortChoice choose_port<Ipv6>(const Packet&, FiveTuple<Ipv6>, bool, uint32_t,
                                      const Context&);

}  // namespace sluice
