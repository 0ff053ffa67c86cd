// SPDX-License-Identifier: Apache-2.0
// Policy on the path: what is refused, what is tracked, and that flows are judged again. What rules
// say is shown by table/policy_test.cc.
#include "stage/policy.h"
#include "testing/proxy.h"

namespace sluice {
namespace {

constexpr uint32_t kIngress = 0, kEgress = 1;  // rule sets of the pod
constexpr uint32_t kPodIdentity = 0, kClientIdentity = 1;
constexpr uint16_t kPort = 40000;

using Rules = std::vector<std::string>;

// The pod has rules, if empty ones; the client is in selector 1, the pod in 4.
template <class F>
Delta policy(const Rules& ingress, const Rules& egress = {}) {
  using N = Names<F>;
  return Delta()
      .rule_set(kIngress, ingress)
      .rule_set(kEgress, egress)
      .identity(kPodIdentity, {.ingress = kIngress, .egress = kEgress, .selectors = {4}})
      .identity(kClientIdentity, {.selectors = {1}})
      .identity_host(N::pod, kPodIdentity)
      .identity_host(N::client, kClientIdentity);
}

// Without the addresses of the stations.
Bytes packet_of(const Bytes& frame) { return {frame.begin() + 12, frame.end()}; }

template <class F>
struct Policed : Proxy {
  using N = Names<F>;

  explicit Policed(const Rules& ingress = {}, const Rules& egress = {}) {
    commit(policy<F>(ingress, egress));
  }
  static Bytes to_pod(uint16_t port, uint16_t from = kPort) {
    return udp_frame(kIn, N::client, from, N::pod, port, 5);
  }
  static Bytes to_client(uint16_t port, uint16_t from) {
    return udp_frame(kBack, N::pod, from, N::client, port, 5);
  }
  FlowEntry<F>& forward() { return flows<F>().entry(0); }
  FlowState state() { return flows<F>().state(0); }
  uint32_t flow_count() { return flows<F>().used(); }
};

}  // namespace

TEST_CASE_TEMPLATE("rules are about the pod and its port, whatever the way there", F, Ipv4, Ipv6) {
  Policed<F> proxy({"accept @1 udp/5353", "deny any"});
  proxy.pass(0, ask<F>());
  proxy.pass(0, proxy.to_pod(Proxy::kUdpTarget));
  proxy.expect_drop(DropReason::policy_denied_ingress, proxy.to_pod(Proxy::kUdpPort));
  proxy.expect_drop(DropReason::policy_denied_ingress, syn<F>());
  proxy.expect_drop(DropReason::policy_denied_ingress,
                    udp_frame(kIn, Names<F>::far, 1, Names<F>::vip, Proxy::kUdpPort, 5));
  CHECK(proxy.sent(0).empty());  // nobody is told
  CHECK(proxy.counter(WorkerCounter::flowsCreated) == 2);
  CHECK(proxy.counter(WorkerCounter::originated) == 0);
}

TEST_CASE_TEMPLATE("a tracked flow changes nothing, and its replies pass", F, Ipv4, Ipv6) {
  using N = Names<F>;
  Policed<F> proxy({"accept any"}, {"deny any"});
  const std::vector<std::pair<Bytes, Bytes>> kinds = {
      {tcp_frame(kIn, N::client, 1, N::pod, 80, kTcpSyn),
       tcp_frame(kBack, N::pod, 80, N::client, 1, kTcpSyn | kTcpAck)},
      {proxy.to_pod(7), proxy.to_client(kPort, 7)},
      {sctp_frame(kIn, N::client, 2, N::pod, 9, kSctpInit),
       sctp_frame(kBack, N::pod, 9, N::client, 2, kSctpInit + 1)},
      {echo_frame(kIn, N::client, N::pod, 3), Bytes()}};
  uint32_t flows = 0;
  for (const auto& [question, answer] : kinds) {
    for (int again = 0; again < 3; again++) {
      Bytes out = proxy.pass(0, question);
      CHECK(packet_of(out) == packet_of(hopped(question)));
      CHECK(checksums_hold(out));
      if (answer.empty()) continue;
      out = proxy.pass(1, answer);
      CHECK(packet_of(out) == packet_of(hopped(answer)));
    }
    CHECK(proxy.flow_count() == ++flows);
  }
  CHECK(proxy.forward().backend_slot == kNoBackend);
  CHECK(proxy.state() == FlowState::syn_received);
  CHECK(proxy.counter(WorkerCounter::masqueraded) == 0);
  for (uint32_t slot = 0; slot < proxy.limits.backends; slot++) {
    CHECK(proxy.counters[proxy.layout.backends + slot] == 0);
  }
  proxy.expect_drop(DropReason::policy_denied_egress, proxy.to_client(8, 8), 1);
}

TEST_CASE_TEMPLATE("an echo reply that nobody asked for does not let a request pass", F, Ipv4,
                   Ipv6) {
  using N = Names<F>;
  Policed<F> proxy({}, {"deny any"});
  const Bytes reply = echo_frame(kIn, N::client, N::pod, 3, true);
  for (int again = 0; again < 3; again++) {
    CHECK(packet_of(proxy.pass(0, reply)) == packet_of(hopped(reply)));
  }
  CHECK(proxy.forward().packets == 3);
  proxy.expect_drop(DropReason::policy_denied_egress, echo_frame(kBack, N::pod, N::client, 3), 1);
  proxy.commit(Delta().rule_set(kEgress, {}));
  Bytes out = proxy.pass(1, echo_frame(kBack, N::pod, N::client, 3));
  CHECK(l4_of<IcmpHeader>(out).identifier != be16::from_host(3));  // its own one is in use
  CHECK(checksums_hold(out));
  const uint16_t identifier = l4_of<IcmpHeader>(out).identifier.host();
  out = proxy.pass(0, echo_frame(kIn, N::client, N::pod, identifier, true));
  CHECK(l4_of<IcmpHeader>(out).identifier == be16::from_host(3));
}

TEST_CASE_TEMPLATE("TCP midway is tracked, but neither its end nor its reset", F, Ipv4, Ipv6) {
  using N = Names<F>;
  Policed<F> proxy;
  auto frame = [](uint8_t flags) { return tcp_frame(kIn, N::client, 1, N::pod, 80, flags); };
  proxy.expect_drop(DropReason::tcp_no_flow, frame(kTcpRst));
  proxy.expect_drop(DropReason::tcp_no_flow, frame(kTcpFin | kTcpAck));
  proxy.pass(0, frame(kTcpAck));
  proxy.pass(0, frame(kTcpFin | kTcpAck));
}

TEST_CASE_TEMPLATE("a commit has every flow judged anew, both ways", F, Ipv4, Ipv6) {
  Policed<F> proxy;
  const Bytes question = proxy.to_pod(7), answer = proxy.to_client(kPort, 7);
  proxy.pass(0, question);
  proxy.pass(1, answer);
  proxy.pass(0, question);
  CHECK(proxy.forward().load_way().stamp == proxy.snapshot->stamp);

  proxy.commit(Delta().rule_set(kIngress, {"deny @1"}));
  proxy.expect_drop(DropReason::policy_denied_ingress, question);
  proxy.expect_drop(DropReason::policy_denied_ingress, answer, 1);
  proxy.expect_drop(DropReason::policy_denied_ingress, question);
  CHECK(proxy.forward().packets == 2);

  proxy.commit(Delta().identity_host(Names<F>::client, kPodIdentity));
  proxy.pass(1, answer);  // it is not in selector 1 any more
  proxy.pass(0, question);
  CHECK(proxy.forward().packets == 3);
  CHECK(proxy.counter(WorkerCounter::flowsCreated) == 1);

  proxy.commit(Delta().identity(kPodIdentity, {.ingress = kPendingRules, .egress = kNoRules}));
  proxy.expect_drop(DropReason::policy_pending, question);
  proxy.expect_drop(DropReason::policy_pending, answer, 1);

  // Who has no rules any more keeps his flows until they end.
  Delta none = Delta().remove_identity(kPodIdentity).remove_identity(kClientIdentity);
  none.remove_identity_network({Names<F>::pod, F::kBits});
  none.remove_identity_network({Names<F>::client, F::kBits});
  proxy.commit(none);
  proxy.pass(0, question);
  CHECK(proxy.flow_count() == 1);
}

TEST_CASE_TEMPLATE("flows of services are judged anew as well", F, Ipv4, Ipv6) {
  using N = Names<F>;
  Policed<F> proxy;
  const Bytes answer = udp_frame(kBack, N::pod, Proxy::kUdpTarget, N::client, kPort);
  proxy.pass(0, ask<F>());
  proxy.pass(1, answer);
  proxy.commit(Delta().rule_set(kIngress, {"deny @1 udp/5353"}));
  proxy.expect_drop(DropReason::policy_denied_ingress, ask<F>());
  proxy.expect_drop(DropReason::policy_denied_ingress, answer, 1);
  proxy.commit(Delta().rule_set(kIngress, {"deny @1 udp/53"}));
  proxy.pass(0, ask<F>());
  proxy.pass(1, answer);
  CHECK(proxy.counter(WorkerCounter::flowsCreated) == 1);
}

TEST_CASE_TEMPLATE("what has no flow is judged packet by packet", F, Ipv4, Ipv6) {
  using N = Names<F>;
  Policed<F> proxy({"accept @1", "deny any"}, {"accept any tcp", "deny any"});
  const Bytes in = ip_frame(kIn, N::client, N::pod, 47, Bytes(16)),
              out = ip_frame(kBack, N::pod, N::client, 47, Bytes(16));
  proxy.pass(0, in);
  proxy.expect_drop(DropReason::policy_denied_egress, out, 1);  // though `in` has passed
  proxy.expect_drop(DropReason::policy_denied_ingress,
                    ip_frame(kIn, N::far, N::pod, 47, Bytes(16)));
  proxy.commit(Delta().rule_set(kEgress, {"deny any tcp"}));
  proxy.pass(1, out);
  CHECK(proxy.counter(WorkerCounter::flowsCreated) == 0);
  proxy.pass(0, ip_frame(kIn, N::client, N::other_pod, 47, Bytes(16)));
  proxy.pass(0, udp_frame(kIn, N::client, 1, N::other_pod, 1, 5));
  CHECK(proxy.counter(WorkerCounter::flowsCreated) == 0);  // it has no rules
}

TEST_CASE_TEMPLATE("our own addresses pass, but for a pod that is pending", F, Ipv4, Ipv6) {
  using N = Names<F>;
  Policed<F> proxy({"admin deny any"}, {"admin deny any"});
  proxy.commit(Delta().scope(0, 2));
  const Bytes frame = udp_frame(kIn, N::up, 1, N::pod, 2, 5);
  proxy.pass(0, frame);
  proxy.commit(Delta().identity(kPodIdentity, {.egress = kPendingRules}));
  proxy.expect_drop(DropReason::policy_pending, frame);
}

TEST_CASE_TEMPLATE("a pod and itself", F, Ipv4, Ipv6) {
  using N = Names<F>;
  const Bytes direct = udp_frame(kBack, N::pod, 1, N::pod, 2, 5);
  const Bytes by_service = udp_frame(kBack, N::pod, 1, N::vip, Proxy::kUdpPort, 5);
  auto returns = [](Proxy& proxy, const Bytes& frame) {
    proxy.poll(1, {frame});
    return proxy.sent(1).size() == 1;
  };
  Policed<F> proxy({"admin pass any", "deny any"}, {"deny any"});
  CHECK(returns(proxy, direct));
  CHECK(returns(proxy, by_service));
  proxy.commit(Delta().rule_set(kIngress, {"admin deny @4"}));
  CHECK(returns(proxy, direct));
  CHECK_FALSE(returns(proxy, by_service));
  CHECK(proxy.drops(DropReason::policy_denied_ingress) == 1);
}

TEST_CASE_TEMPLATE("a port that a service's flow has taken is not taken again", F, Ipv4, Ipv6) {
  using N = Names<F>;
  Policed<F> proxy;
  proxy.pass(0, ask<F>());
  Bytes out = proxy.pass(0, proxy.to_pod(Proxy::kUdpTarget));
  const uint16_t port = l4_of<UdpHeader>(out).source_port.host();
  CHECK(port != kPort);
  CHECK(checksums_hold(out));
  Bytes back = proxy.pass(1, proxy.to_client(port, Proxy::kUdpTarget));
  CHECK(source_of(back) == N::pod);
  CHECK(l4_of<UdpHeader>(back).destination_port.host() == kPort);
  back = proxy.pass(1, proxy.to_client(kPort, Proxy::kUdpTarget));
  CHECK(source_of(back) == N::vip);
}

TEST_CASE_TEMPLATE("the sweep leaves tracked flows until they have expired", F, Ipv4, Ipv6) {
  Policed<F> proxy;
  proxy.pass(0, proxy.to_pod(7));
  proxy.at(proxy.context.now_ms + 1000);
  proxy.idle();
  CHECK(proxy.flow_count() == 1);
  proxy.at(proxy.context.now_ms + 1000 * proxy.limits.timeouts.udp_unreplied);
  proxy.idle();
  CHECK(proxy.flow_count() == 0);
  CHECK(proxy.counter(WorkerCounter::flowsCleared) == 0);
}

TEST_CASE_TEMPLATE("an error that quotes a tracked flow passes, another one is judged", F, Ipv4,
                   Ipv6) {
  using N = Names<F>;
  Policed<F> proxy({}, {"deny any"});
  const Bytes out = proxy.pass(0, proxy.to_pod(7));
  const Bytes error = error_frame(kBack, N::pod, N::client, out);
  proxy.pass(1, error);
  CHECK(proxy.counter(WorkerCounter::related) == 1);
  const Bytes unrelated = error_frame(kBack, N::pod, N::client, proxy.to_pod(9));
  proxy.expect_drop(DropReason::policy_denied_egress, unrelated, 1);
}

}  // namespace sluice
