// SPDX-License-Identifier: Apache-2.0
#include "stage/explain.h"

#include <algorithm>
#include <vector>

#include "base/mix.h"
#include "packet/ip.h"
#include "stage/arp.h"
#include "stage/decap.h"
#include "stage/flow.h"
#include "stage/fragment.h"
#include "stage/hold.h"
#include "stage/nat_plan.h"
#include "stage/nd.h"
#include "stage/neighbour.h"
#include "stage/outer_header.h"
#include "stage/own_frames.h"
#include "stage/parse.h"
#include "stage/reject.h"
#include "stage/related.h"
#include "stage/route.h"
#include "stage/service.h"

namespace sluice {
namespace {

using Outcome = Explanation::Outcome;

template <class F>
Explanation::Tuple general(const FiveTuple<F>& tuple) {
  return {F::general(tuple.source), F::general(tuple.destination), tuple.source_port.host(),
          tuple.destination_port.host(), tuple.protocol};
}

std::array<uint8_t, 6> copy_mac(const uint8_t* mac) {
  std::array<uint8_t, 6> copy;
  std::copy_n(mac, copy.size(), copy.begin());
  return copy;
}

bool drop(Explanation& out, DropReason reason, bool told = false) {
  out.fate = Outcome::drop;
  out.reason = reason;
  out.rejected = told;
  return false;
}

// The steps of the path. Each says whether the packet goes on.

template <class F>
bool meet_first_fragment(Packet& packet, const Context& context, Explanation& out) {
  const bool goes_on =
      !is_followed_fragment(packet) || context.fragments->peek(packet, context.now_s);
  out.tuple = general<F>(packet.tuple<F>());  // a later fragment may have learned its ports
  if (goes_on) return true;
  if (packet.fate == Fate::drop) return drop(out, packet.reason);
  out.fate = Outcome::hold;
  return false;
}

void describe_policy(const PolicyVerdict& policy, Explanation& out) {
  out.egress = policy.egress;
  out.ingress = policy.ingress;
}

template <class F>
void describe_flow(uint32_t index, bool related, const Context& context, Explanation& out) {
  const FlowTable<F>& flows = context.flows<F>();
  const FlowEntry<F>& forward = flows.entry(index & ~1u);
  out.flow = {related            ? Explanation::Direction::related
              : (index & 1) == 0 ? Explanation::Direction::forward
                                 : Explanation::Direction::reply,
              flows.state(index)};
  if (forward.backend_slot != kNoBackend) out.backend = forward.backend_slot;
  out.masquerade = forward.source != forward.key.source;
}

template <class F>
bool follow_hit(const Packet& packet, uint32_t index, const Context& context, Explanation& out) {
  describe_flow<F>(index, false, context, out);
  const FlowEntry<F>& entry = context.flows<F>().entry(index);
  if (is_untranslatable<F>(packet, entry.source_port, entry.destination_port)) {
    return drop(out, DropReason::fragment_untranslatable);
  }
  out.rewrite = general<F>({entry.source,
                            entry.destination,
                            entry.source_port,
                            entry.destination_port,
                            entry.key.protocol,
                            {}});
  return true;
}

template <class F>
bool follow_error(const Packet& packet, uint32_t index, const Context& context, Explanation& out) {
  describe_flow<F>(index, true, context, out);
  const FlowEntry<F>& entry = context.flows<F>().entry(index);
  const FiveTuple<F>& tuple = packet.tuple<F>();
  const bool from_endpoint = tuple.source == entry.key.source;
  out.rewrite = general<F>(
      {from_endpoint ? entry.source : tuple.source, entry.destination, {}, {}, tuple.protocol, {}});
  return true;
}

template <class F>
bool follow_plan(const Packet& packet, uint32_t doomed, const Context& context, Explanation& out) {
  const NatPlan<F> plan = plan_nat<F>(packet, context, doomed);
  out.pool = plan.pool;
  out.maglev_slot = plan.maglev_slot;
  out.affinity = plan.affinity;
  out.backend = plan.backend;
  out.masquerade = plan.masquerade;
  describe_policy(plan.policy, out);
  if (plan.refused) return drop(out, *plan.refused, plan.rejected && may_tell<F>(packet));
  if (is_untranslatable<F>(packet, plan.leaves.source_port, plan.leaves.destination_port)) {
    return drop(out, DropReason::fragment_untranslatable);
  }
  out.rewrite = general<F>(plan.leaves);
  return true;
}

template <class F>
bool follow_miss(Packet& packet, uint32_t doomed, const Context& context, Explanation& out) {
  const bool pickup = context.limits->tcp_pickup;
  const ServiceVerdict verdict = judge_service<F>(packet, *context.snapshot, pickup);
  if (verdict.frontend != nullptr) {
    const auto& frontend = *static_cast<const Frontend<F>*>(verdict.frontend);
    out.scope = scope_of<F>(packet, *context.snapshot);
    out.frontend = frontend.slot;
  }
  describe_policy(verdict.policy, out);
  switch (verdict.kind) {
    case ServiceVerdict::Kind::plain:
    case ServiceVerdict::Kind::host:
      return true;
    case ServiceVerdict::Kind::frontend:
      packet.frontend = verdict.frontend;
      return follow_plan<F>(packet, doomed, context, out);
    case ServiceVerdict::Kind::track:
      return follow_plan<F>(packet, doomed, context, out);
    case ServiceVerdict::Kind::answer:
      out.fate = Outcome::answer;
      return false;
    case ServiceVerdict::Kind::drop:
      return drop(out, verdict.reason);
    case ServiceVerdict::Kind::reject:
      return drop(out, verdict.reason, may_tell<F>(packet));
  }
  return false;
}

template <class F>
bool find_flow(Packet& packet, const Context& context, Explanation& out) {
  uint32_t doomed = kNoFlow;  // what a new flow would replace
  if (packet.type == PacketClass::icmp_error) {
    const uint32_t index = find_related<F>(packet, context);
    packet.flow = index;
    if (index != kNoFlow) return follow_error<F>(packet, index, context, out);
  } else if (has_flow(packet.type)) {
    const auto [verdict, index, policy] = judge_flow<F>(packet, context);
    describe_policy(policy, out);
    if (verdict == FlowVerdict::hit) packet.flow = index;
    if (verdict == FlowVerdict::hit) return follow_hit<F>(packet, index, context, out);
    if (verdict == FlowVerdict::flushed) {
      describe_flow<F>(index, false, context, out);
      const bool forward = (index & 1) == 0;
      return drop(out, DropReason::backend_flushed, forward && may_tell<F>(packet));
    }
    if (verdict == FlowVerdict::denied) {
      describe_flow<F>(index, false, context, out);
      return drop(out, *policy.refused);
    }
    doomed = index;
  }
  return follow_miss<F>(packet, doomed, context, out);
}

std::optional<std::array<uint8_t, 6>> mac_of(const Station& station, const Context& context) {
  if (station.mac != nullptr) return copy_mac(station.mac);
  if (station.neighbour == nullptr ||
      !station.neighbour->usable(context.now_ms, context.neighbour_ages)) {
    return {};
  }
  uint8_t mac[6];
  station.neighbour->copy_mac(mac);
  return copy_mac(mac);
}

void wait(uint16_t interface, const Station& station, const Context& context, Explanation& out) {
  out.fate = Outcome::hold;
  const std::optional<DropReason> no_room = judge_hold(interface, station, context);
  if (no_room) drop(out, *no_room);
}

// What a packet that leaves by a tunnel leaves in.
void find_carrier(const Packet& packet, const Context& context, Explanation& out) {
  const Snapshot& snapshot = *context.snapshot;
  const Tunnel* tunnel = snapshot.interfaces[packet.out_interface].tunnel.get();
  if (tunnel == nullptr) return;
  if (!tunnel->has_remote()) {
    drop(out, DropReason::tunnel_no_remote);
    return;
  }
  std::vector<uint8_t> copy(kOuterRoom + packet.length);
  std::copy_n(packet.data, packet.length, &copy[kOuterRoom]);
  Frame frame{nullptr, &copy[kOuterRoom], packet.length};
  const uint32_t entropy = mix(packet.hash);
  write_outer(frame, *tunnel, make_outer_header(*tunnel), entropy);
  const OwnRoute route = route_own(frame.data, frame.length, OwnFrame::carrier, entropy, snapshot);
  if (route.next_hop != kNoNextHop) {
    out.encap = {snapshot.next_hops[route.next_hop].interface, tunnel->remote, {}};
  }
  if (route.refused) {
    drop(out, *route.refused);
    return;
  }
  const NextHop& hop = snapshot.next_hops[route.next_hop];
  const Station station = station_of(hop, tunnel->remote, context);
  out.encap->neighbour = mac_of(station, context);
  if (!out.encap->neighbour) wait(hop.interface, station, context, out);
}

template <class F>
void find_way(Packet& packet, const Context& context, Explanation& out) {
  const Snapshot& snapshot = *context.snapshot;
  Heading<F> heading{packet.tuple<F>().destination, {}};
  if (packet.flow != kNoFlow) {
    const FlowEntry<F>& entry = context.flows<F>().entry(packet.flow);
    heading = heading_of<F>(entry, (packet.flow & 1) == 0, snapshot);
  } else if (out.rewrite) {
    heading.destination = F::from(out.rewrite->destination);
    // A new flow's.
    if (out.backend && snapshot.is_one_way(*out.backend))
      heading.through = snapshot.backends[*out.backend].group;
  }
  const std::optional<DropReason> reason = find_way<F>(packet, heading, snapshot);
  if (packet.next_hop != kNoNextHop) {
    const NextHop& hop = snapshot.next_hops[packet.next_hop];
    out.route = {hop.interface, {}, {}};
    if (!hop.gateway.is_zero()) out.route->gateway = hop.gateway;
    if (hop.has_mac) out.route->mac = copy_mac(hop.mac);
  }
  if (reason) {
    drop(out, *reason, may_turn_back<F>(packet, snapshot));
    return;
  }
  ip_header<F>(packet.data)->destination = heading.destination;
  const Station station = find_station<F>(packet, context);
  out.neighbour = {station.address, mac_of(station, context)};
  if (!out.neighbour->mac) return wait(packet.out_interface, station, context, out);
  if (packet.to_host) {
    out.fate = Outcome::host;
    return;
  }
  find_carrier(packet, context, out);
}

template <class F>
void follow(Packet& packet, const Context& context, Explanation& out) {
  if (meet_first_fragment<F>(packet, context, out) && find_flow<F>(packet, context, out)) {
    find_way<F>(packet, context, out);
  }
}

}  // namespace

Explanation explain(const Context& context, uint16_t interface, const uint8_t* frame,
                    uint32_t length) {
  std::vector<uint8_t> copy(frame, frame + length);
  Packet packet{};
  packet.data = copy.data();
  packet.length = length;
  packet.in_interface = interface;
  const Snapshot& snapshot = *context.snapshot;
  parse_packet(packet, snapshot);

  Explanation out;
  if (packet.fate == Fate::pending && snapshot.tunnels != nullptr &&
      snapshot.interfaces[interface].tunnel == nullptr && decapsulate(packet, snapshot)) {
    out.tunnel = packet.in_interface;
    parse_packet(packet, snapshot);
  }
  if (packet.fate == Fate::drop) {
    drop(out, packet.reason);
  } else if (packet.type == PacketClass::arp || packet.type == PacketClass::nd) {
    const std::optional<DropReason> reason = packet.type == PacketClass::arp
                                                 ? judge_arp(packet, *context.snapshot)
                                                 : judge_nd(packet, context);
    out.fate = Outcome::answer;
    if (reason) drop(out, *reason);
  } else if (packet.version == 4) {
    follow<Ipv4>(packet, context, out);
  } else {
    follow<Ipv6>(packet, context, out);
  }
  return out;
}

}  // namespace sluice
