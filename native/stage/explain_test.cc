// SPDX-License-Identifier: Apache-2.0
// Explanations say what would happen, and change nothing.
#include "stage/explain.h"

#include "testing/proxy.h"

namespace sluice {
namespace {

using Outcome = Explanation::Outcome;
using Direction = Explanation::Direction;

// Everything that the path may change, as far as one can see it from outside.
struct Trace {
  std::vector<uint64_t> counters;
  uint32_t flows4, flows6, affinities, neighbours, datagrams, waiting;
  size_t held, released, originated;
  uint64_t tokens;
  bool operator==(const Trace&) const = default;
};
Trace trace(const Proxy& proxy) {
  const Context& context = proxy.context;
  return {proxy.counters,
          proxy.flows4.used(),
          proxy.flows6.used(),
          proxy.affinities.used(),
          proxy.neighbours.used(),
          context.fragments->datagrams(),
          context.fragments->waiting(),
          context.held.size(),
          context.released.size(),
          context.originated.size(),
          context.budget.tokens};
}

Explanation explained(Proxy& proxy, uint16_t interface, const Bytes& frame) {
  const Trace before = trace(proxy);
  const Bytes copy = frame;
  Explanation out =
      explain(proxy.context, interface, copy.data(), static_cast<uint32_t>(copy.size()));
  CHECK(copy == frame);
  CHECK(trace(proxy) == before);
  CHECK(proxy.sent(0).empty());
  CHECK(proxy.sent(1).empty());
  return out;
}

void expect_drop(Proxy& proxy, const Bytes& frame, DropReason reason, bool rejected = false) {
  INFO(std::string(kDropReasonNames[static_cast<uint32_t>(reason)]));
  const Explanation out = explained(proxy, 0, frame);
  CHECK(out.fate == Outcome::drop);
  CHECK(out.reason == reason);
  CHECK(out.rejected == rejected);
}

}  // namespace

TEST_CASE_TEMPLATE("a new flow", F, Ipv4, Ipv6) {
  using N = Names<F>;
  ProxyOptions options;
  options.extras.masquerade = 1 << static_cast<int>(Scope::outside);
  options.extras.affinity = 10;
  Proxy proxy(options);
  const Explanation out = explained(proxy, 0, syn<F>(80));
  CHECK(out.fate == Outcome::forward);
  CHECK_FALSE(out.reason);
  REQUIRE(out.tuple);
  CHECK(out.tuple->source == N::client);
  CHECK(out.tuple->destination_port == Proxy::kTcpPort);
  CHECK(out.tuple->protocol == kProtocolTcp);
  CHECK(out.scope == Scope::outside);
  CHECK_FALSE(out.flow);
  CHECK(out.frontend == N::first_slot);
  CHECK(out.pool == N::first_slot);
  CHECK(out.maglev_slot == 0u);
  CHECK_FALSE(out.affinity);
  CHECK(out.backend == N::first_slot);
  CHECK(out.masquerade);
  REQUIRE(out.rewrite);
  CHECK(out.rewrite->source == N::down);
  CHECK(out.rewrite->source_port >= 1024);
  CHECK(out.rewrite->destination == N::pod);
  CHECK(out.rewrite->destination_port == Proxy::kTcpTarget);
  REQUIRE(out.route);
  CHECK(out.route->interface == 1);
  CHECK_FALSE(out.route->gateway);
  CHECK(out.route->mac == kPodMac);
  REQUIRE(out.neighbour);
  CHECK(out.neighbour->address == N::pod);
  CHECK(out.neighbour->mac == kPodMac);

  // And that is what happens.
  Bytes sent = proxy.pass(0, syn<F>(80));
  CHECK(source_of(sent) == out.rewrite->source);
  CHECK(l4_of<TcpHeader>(sent).source_port.host() == out.rewrite->source_port);
  CHECK(explained(proxy, 0, syn<F>(81)).affinity);
}

TEST_CASE_TEMPLATE("packets of a flow, and errors about it", F, Ipv4, Ipv6) {
  using N = Names<F>;
  Proxy proxy;
  const Bytes sent = proxy.pass(0, ask<F>(7));
  Explanation out = explained(proxy, 0, ask<F>(7));
  REQUIRE(out.flow);
  CHECK(out.flow->direction == Direction::forward);
  CHECK(out.flow->state == FlowState::unreplied);
  CHECK(out.backend == N::first_slot + Proxy::udp);
  CHECK_FALSE(out.frontend);
  CHECK_FALSE(out.scope);
  CHECK_FALSE(out.masquerade);
  CHECK(out.rewrite->destination == N::pod);

  out = explained(proxy, 1, udp_frame(kBack, N::pod, Proxy::kUdpTarget, N::client, 7));
  REQUIRE(out.flow);
  CHECK(out.flow->direction == Direction::reply);
  CHECK(out.rewrite->source == N::vip);
  CHECK(out.rewrite->source_port == Proxy::kUdpPort);

  out = explained(proxy, 1, error_frame(kBack, N::pod, N::client, sent));
  REQUIRE(out.flow);
  CHECK(out.flow->direction == Direction::related);
  CHECK(out.rewrite->source == N::vip);
  CHECK(out.rewrite->destination == N::client);
  CHECK(out.rewrite->source_port == 0);
  CHECK(out.route->interface == 0);
}

TEST_CASE_TEMPLATE("what the policy says of each direction", F, Ipv4, Ipv6) {
  using N = Names<F>;
  Proxy proxy;
  CHECK(explained(proxy, 0, ask<F>()).ingress == Judgement{true, {}});
  proxy.commit(Delta()
                   .rule_set(1, {"accept @7 udp", "deny any tcp"})
                   .identity(1, {.ingress = 1, .egress = 1, .selectors = {7}})
                   .identity(2, {.selectors = {7}})
                   .identity_host(N::pod, 1)
                   .identity_host(N::client, 2));
  Explanation out = explained(proxy, 0, ask<F>(7));
  CHECK(out.egress == Judgement{true, {}});
  CHECK(out.ingress == Judgement{true, 100});
  CHECK(out.fate == Outcome::forward);

  out = explained(proxy, 0, syn<F>());
  CHECK(out.ingress == Judgement{false, 101});
  CHECK(out.reason == DropReason::policy_denied_ingress);
  CHECK_FALSE(out.rejected);
  CHECK(out.backend == N::first_slot);
  CHECK_FALSE(out.rewrite);

  // From the pod: what is tracked has neither a frontend nor a backend.
  const Bytes direct = udp_frame(kBack, N::pod, 5, N::client, 6);
  out = explained(proxy, 1, direct);
  CHECK(out.egress == Judgement{true, 100});
  CHECK(out.ingress == Judgement{true, {}});
  CHECK_FALSE(out.frontend);
  CHECK_FALSE(out.scope);
  REQUIRE(out.rewrite);
  CHECK(out.rewrite->destination_port == 6);
  proxy.pass(1, direct);
  out = explained(proxy, 1, direct);
  REQUIRE(out.flow);
  CHECK_FALSE(out.backend);
  CHECK(out.egress == Judgement{true, 100});

  proxy.commit(Delta().rule_set(1, {"deny any"}));
  out = explained(proxy, 0, udp_frame(kIn, N::client, 6, N::pod, 5));
  REQUIRE(out.flow);
  CHECK(out.flow->direction == Direction::reply);
  CHECK(out.reason == DropReason::policy_denied_egress);  // of the pair
  CHECK(out.egress == Judgement{false, 100});
  CHECK_FALSE(out.ingress);
  CHECK_FALSE(out.rewrite);

  // What has no flow, and what is not asked.
  out = explained(proxy, 1, ip_frame(kBack, N::pod, N::client, 47, Bytes(16)));
  CHECK(out.egress == Judgement{false, 100});
  CHECK(out.reason == DropReason::policy_denied_egress);
  out = explained(proxy, 0, udp_frame(kIn, N::far, 6, N::client, 5));
  CHECK_FALSE(out.egress);
  proxy.commit(Delta().identity(1, {.ingress = kPendingRules}));
  out = explained(proxy, 0, ask<F>());
  CHECK(out.reason == DropReason::policy_pending);
  CHECK_FALSE(out.egress);
  CHECK_FALSE(out.ingress);
}

TEST_CASE_TEMPLATE("a connection that takes the place of another keeps its port", F, Ipv4, Ipv6) {
  using N = Names<F>;
  Proxy proxy;
  proxy.pass(0, syn<F>());
  proxy.pass(1, tcp_frame(kBack, N::pod, Proxy::kTcpTarget, N::client, 40000, kTcpRst));
  const Explanation out = explained(proxy, 0, syn<F>());
  CHECK_FALSE(out.flow);
  REQUIRE(out.rewrite);
  CHECK(out.rewrite->source_port == 40000);
}

TEST_CASE_TEMPLATE("drops, from the first stage to the last", F, Ipv4, Ipv6) {
  using N = Names<F>;
  Proxy proxy;
  Explanation out = explained(proxy, 0, Bytes(5));
  CHECK(out.reason == DropReason::malformed_ethernet);
  CHECK_FALSE(out.tuple);
  expect_drop(proxy, tcp_frame(kIn, N::client, 1, N::vip, 81, kTcpSyn),
              DropReason::service_port_unknown, true);
  expect_drop(proxy, tcp_frame(kIn, N::client, 1, N::vip, 81, kTcpRst),
              DropReason::service_port_unknown, false);
  expect_drop(proxy, tcp_frame(kIn, N::client, 1, N::vip, 80, kTcpRst), DropReason::tcp_no_flow);
  expect_drop(proxy, udp_frame(kIn, N::client, 1, N::up, 1), DropReason::not_for_host);
  expect_drop(proxy, udp_frame(kIn, N::client, 1, N::nowhere, 1), DropReason::no_route, true);
  expect_drop(proxy,
              fragments_of(sctp_frame(kIn, N::client, 1, N::vip, Proxy::kSctpPort, 1, 40), 24)[0],
              DropReason::fragment_untranslatable);
  proxy.up[1] = false;
  out = explained(proxy, 0, syn<F>());
  CHECK(out.reason == DropReason::interface_down);
  CHECK(out.rejected);
  CHECK(out.route->interface == 1);
  CHECK_FALSE(out.neighbour);
  proxy.up[1] = true;
  proxy.commit(Delta().pool(N::first_slot, {}));
  expect_drop(proxy, syn<F>(), DropReason::no_backend, true);

  proxy.pass(0, ask<F>(9));
  proxy.commit(Delta()
                   .backend(N::first_slot + 1, N::pod, Proxy::kUdpTarget, N::first_slot + 1, true)
                   .pool(N::first_slot + 1, {}));
  out = explained(proxy, 1, udp_frame(kBack, N::pod, Proxy::kUdpTarget, N::client, 9));
  CHECK(out.reason == DropReason::backend_flushed);
  CHECK(out.flow->direction == Direction::reply);
  CHECK_FALSE(out.rejected);
}

TEST_CASE_TEMPLATE("who would wait", F, Ipv4, Ipv6) {
  using N = Names<F>;
  Limits limits = kSmall;
  limits.held_per_neighbour = 1;
  Proxy proxy({.resolved = false}, limits);
  Explanation out = explained(proxy, 0, syn<F>());
  CHECK(out.fate == Outcome::hold);
  CHECK(out.neighbour->address == N::pod);
  CHECK_FALSE(out.neighbour->mac);
  proxy.poll(0, {syn<F>()});
  proxy.sent(1);
  expect_drop(proxy, syn<F>(), DropReason::neighbour_queue_full);
  proxy.neighbours.find(1, N::pod)->learn(kPodMac.data(), proxy.context.now_ms);
  out = explained(proxy, 0, syn<F>());
  CHECK(out.fate == Outcome::forward);
  CHECK(out.neighbour->mac == kPodMac);

  const auto pieces = fragments_of(ask<F>(3, 40), 16);
  CHECK(explained(proxy, 0, pieces[1]).fate == Outcome::hold);
  proxy.idle();
  proxy.poll(0, {pieces[0]});
  proxy.sent(1);
  out = explained(proxy, 0, pieces[1]);
  CHECK(out.fate == Outcome::forward);
  CHECK(out.tuple->source_port == 3);
  expect_drop(proxy, pieces[0], DropReason::fragment_overlap);
}

TEST_CASE("answers") {
  Proxy proxy;
  Explanation out = explained(
      proxy, 0,
      arp_frame({kClientMac, kBroadcast}, kArpRequest, ip(10, 0, 0, 77), ip(10, 0, 0, 1)));
  CHECK(out.fate == Outcome::answer);
  CHECK_FALSE(out.tuple);
  expect_drop(proxy, arp_frame({kClientMac, kBroadcast}, kArpRequest, ip(10, 0, 0, 77), 9),
              DropReason::arp_not_for_us);
  using N = Names<Ipv6>;
  out = explained(proxy, 0,
                  nd_frame(kIn, N::client, N::up, kNeighbourSolicitation, N::up,
                           link_address(kSourceLinkAddress, kClientMac)));
  CHECK(out.fate == Outcome::answer);
  expect_drop(proxy, nd_frame(kIn, N::client, N::up, 134, N::up, {}), DropReason::nd_not_for_us);
  out = explained(proxy, 0, echo_frame(kIn, N::client, N::down));
  CHECK(out.fate == Outcome::answer);
  CHECK(out.tuple->destination == N::down);
  CHECK_FALSE(out.route);
}

}  // namespace sluice
