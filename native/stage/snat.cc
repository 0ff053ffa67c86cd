// SPDX-License-Identifier: Apache-2.0
#include "stage/snat.h"

#include "base/mix.h"
#include "packet/ip.h"

namespace sluice {
namespace {

constexpr uint32_t kTries = 512;
constexpr uint32_t kStep = 0x9e3779b9;  // 2^32 divided by the golden ratio

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
SourceChoice<F> choose_source(const Packet& packet, const typename F::Address& backend,
                              const Snapshot& snapshot) {
  const uint32_t index = snapshot.find_way<F>(backend, packet.hash).next_hop;
  if (index == kNoNextHop) return {DropReason::no_route, {}};
  const NextHop& hop = snapshot.next_hops[index];
  const typename F::Address next_hop = hop.gateway.is_zero() ? backend : F::from(hop.gateway);
  const auto* address = snapshot.source_towards<F>(hop.interface, next_hop);
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

template <class F>
PortChoice keep_port(const Packet& packet, const FiveTuple<F>& leaves, uint32_t doomed,
                     const Context& context) {
  uint32_t expired = kNoFlow;
  if (!is_free<F>(leaves.reversed(), packet, doomed, context, expired)) return {false, {}, kNoFlow};
  return {true, leaves.source_port, expired};
}

template SourceChoice<Ipv4> choose_source<Ipv4>(const Packet&, const be32&, const Snapshot&);
template SourceChoice<Ipv6> choose_source<Ipv6>(const Packet&, const Address&, const Snapshot&);
template PortChoice keep_port<Ipv4>(const Packet&, const FiveTuple<Ipv4>&, uint32_t,
                                    const Context&);
template PortChoice keep_port<Ipv6>(const Packet&, const FiveTuple<Ipv6>&, uint32_t,
                                    const Context&);
template PortChoice choose_port<Ipv4>(const Packet&, FiveTuple<Ipv4>, bool, uint32_t,
                                      const Context&);
template PortChoice choose_port<Ipv6>(const Packet&, FiveTuple<Ipv6>, bool, uint32_t,
                                      const Context&);

}  // namespace sluice
