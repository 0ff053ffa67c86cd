// SPDX-License-Identifier: Apache-2.0
#include "stage/service.h"

#include "packet/ip.h"
#include "stage/echo.h"
#include "stage/nat_plan.h"
#include "stage/own_frames.h"
#include "stage/reject.h"

namespace sluice {
namespace {

using Kind = ServiceVerdict::Kind;

// Packets that a frontend may be for. Of a later fragment of an echo the ports tell what it is.
template <class F>
bool may_have_frontend(const Packet& packet) {
  if (packet.type != PacketClass::echo) {
    return packet.type == PacketClass::tcp || packet.type == PacketClass::udp ||
           packet.type == PacketClass::sctp;
  }
  return packet.fragment == FragmentKind::later ? packet.tuple<F>().destination_port.raw == 0
                                                : is_echo_request<F>(packet);
}

// Of a packet that has no flow, and will have none.
template <class F>
PolicyVerdict judge_packet(const Packet& packet, const Snapshot& snapshot) {
  const FiveTuple<F>& tuple = packet.tuple<F>();
  return judge_policy<F>({tuple.source, tuple.destination, tuple.protocol, be16{}, false},
                         snapshot);
}

// Neither for a service nor for us.
template <class F>
ServiceVerdict judge_plain(const Packet& packet, const Snapshot& snapshot, bool pickup) {
  const FiveTuple<F>& tuple = packet.tuple<F>();
  const bool is_of_node = scope_of<F>(packet, snapshot) == Scope::node;
  if (!is_of_node && !is_protected<F>(tuple.source, snapshot) &&
      !is_protected<F>(tuple.destination, snapshot)) {
    return {Kind::plain};
  }
  // The kernel knows its connections; we have not seen all of them begin.
  if (has_flow(packet.type) && !(is_of_node && cannot_begin(packet, pickup))) return {Kind::track};
  const PolicyVerdict policy = judge_packet<F>(packet, snapshot);
  if (policy.refused) return {Kind::drop, *policy.refused, nullptr, policy};
  return {Kind::plain, {}, nullptr, policy};
}

template <class F>
void apply(Packet& packet, const ServiceVerdict& verdict, Context& context) {
  switch (verdict.kind) {
    case Kind::plain:
    case Kind::host:
      return;
    case Kind::frontend:
      packet.frontend = verdict.frontend;
      return;
    case Kind::track:
      packet.tracked = true;
      return;
    case Kind::answer:
      answer_echo<F>(packet, context.snapshot->interfaces[packet.in_interface]);
      return route_answer(packet, context);
    case Kind::drop:
      return packet.drop(verdict.reason);
    case Kind::reject:
      return reject<F>(packet, verdict.reason, context);
  }
}

}  // namespace

template <class F>
Scope scope_of(const Packet& packet, const Snapshot& snapshot) {
  const typename F::Address& source = packet.tuple<F>().source;
  const InterfaceScope ingress = snapshot.interfaces[packet.in_interface].scope;
  const FamilyView<F>& family = snapshot.of<F>();
  if (ingress == InterfaceScope::host && family.is_own_address(source)) return Scope::node;
  if (ingress == InterfaceScope::pod || family.is_pod(source)) return Scope::pod;
  return Scope::outside;
}

template <class F>
ServiceVerdict judge_service(const Packet& packet, const Snapshot& snapshot, bool pickup) {
  const FiveTuple<F>& tuple = packet.tuple<F>();
  const FamilyView<F>& family = snapshot.of<F>();
  if (may_have_frontend<F>(packet)) {
    const Frontend<F>* frontend =
        family.services->find(tuple.destination, tuple.destination_port, tuple.protocol);
    if (frontend != nullptr) {
      if (frontend->admits(tuple.source)) return {Kind::frontend, {}, frontend};
      return {Kind::drop, DropReason::source_not_allowed, frontend};
    }
  }
  if (family.services->has_cluster_address(tuple.destination)) {
    if (packet.type == PacketClass::icmp_error) {
      return {Kind::drop, DropReason::icmp_error_unrelated};
    }
    return {Kind::reject, DropReason::service_port_unknown};
  }
  if (family.is_own_address(tuple.destination)) {
    const PolicyVerdict policy = judge_packet<F>(packet, snapshot);
    if (policy.refused) return {Kind::drop, *policy.refused, nullptr, policy};
    if (packet.fragment == FragmentKind::none && is_echo_request<F>(packet)) return {Kind::answer};
    if (snapshot.has_host) return {Kind::host};
    return {Kind::drop, DropReason::not_for_host};
  }
  if (family.is_service_network(tuple.destination)) {
    return {Kind::drop, DropReason::service_address_unknown};
  }
  return judge_plain<F>(packet, snapshot, pickup);
}

template <class F>
void run_service(Burst& burst, Context& context) {
  const bool pickup = context.limits->tcp_pickup;
  for (uint32_t i = 0; i < burst.count; i++) {
    Packet& packet = burst.packets[i];
    if (!is_pending<F>(packet) || packet.flow != kNoFlow) continue;
    packet.frontend = nullptr;
    packet.tracked = false;
    apply<F>(packet, judge_service<F>(packet, *context.snapshot, pickup), context);
  }
}

template void run_service<Ipv4>(Burst&, Context&);
template void run_service<Ipv6>(Burst&, Context&);
template ServiceVerdict judge_service<Ipv4>(const Packet&, const Snapshot&, bool);
template ServiceVerdict judge_service<Ipv6>(const Packet&, const Snapshot&, bool);
template Scope scope_of<Ipv4>(const Packet&, const Snapshot&);
template Scope scope_of<Ipv6>(const Packet&, const Snapshot&);

}  // namespace sluice
