// SPDX-License-Identifier: Apache-2.0
// New flows: which backend, which source, which port, and what there is no room for.
#include "stage/nat.h"

#include <set>

#include "testing/proxy.h"

namespace sluice {
namespace {

constexpr uint8_t kMasqueradeOutside = 1 << static_cast<int>(Scope::outside);

FrontendExtras masquerading(uint32_t affinity = 0) {
  FrontendExtras extras;
  extras.masquerade = kMasqueradeOutside;
  extras.affinity = affinity;
  return extras;
}

// Few ports to give.
Limits with_ports(uint32_t lowest, uint32_t highest) {
  Limits limits = kSmall;
  limits.snat_port_min = lowest;
  limits.snat_port_max = highest;
  return limits;
}

template <class F>
Bytes to_pod_reply(Bytes request, uint8_t flags) {
  const TcpHeader& tcp = l4_of<TcpHeader>(request);
  return tcp_frame(kBack, destination_of(request), tcp.destination_port.host(), source_of(request),
                   tcp.source_port.host(), flags);
}

}  // namespace

TEST_CASE_TEMPLATE("who is masqueraded gets our address, and its replies back", F, Ipv4, Ipv6) {
  using N = Names<F>;
  Proxy proxy({.extras = masquerading()});
  Bytes out = proxy.pass(0, syn<F>(40000));
  CHECK(out == hopped(tcp_frame(kToPod, N::down, 40000, N::pod, Proxy::kTcpTarget, kTcpSyn)));
  Bytes back = proxy.pass(1, to_pod_reply<F>(out, kTcpSyn | kTcpAck));
  CHECK(back ==
        hopped(tcp_frame(kToClient, N::vip, Proxy::kTcpPort, N::client, 40000, kTcpSyn | kTcpAck)));
  CHECK(proxy.counter(WorkerCounter::masqueraded) == 1);

  // Another client with the same port, and one with a port that is not ours to give.
  Bytes second = tcp_frame(kIn, N::far, 40000, N::vip, Proxy::kTcpPort, kTcpSyn);
  out = proxy.pass(0, second);
  CHECK(l4_of<TcpHeader>(out).source_port.host() != 40000);
  CHECK(l4_of<TcpHeader>(out).source_port.host() >= 1024);
  CHECK(checksums_hold(out));
  back = proxy.pass(1, to_pod_reply<F>(out, kTcpAck));
  CHECK(destination_of(back) == N::far);
  CHECK(l4_of<TcpHeader>(back).destination_port.host() == 40000);
  CHECK(checksums_hold(back));
  out = proxy.pass(0, syn<F>(80));
  CHECK(l4_of<TcpHeader>(out).source_port.host() >= 1024);
}

TEST_CASE_TEMPLATE("echo, SCTP and UDP are masqueraded too", F, Ipv4, Ipv6) {
  using N = Names<F>;
  Proxy proxy({.extras = masquerading()});
  proxy.pass(0, echo_frame(kIn, N::client, N::vip, 2000));
  Bytes out = proxy.pass(0, echo_frame(kIn, N::far, N::vip, 2000));
  CHECK(checksums_hold(out));
  const uint16_t identifier = l4_of<IcmpHeader>(out).identifier.host();
  CHECK(identifier != 2000);
  Bytes back = proxy.pass(1, echo_frame(kBack, N::pod, N::down, identifier, true));
  CHECK(back == hopped(echo_frame(kToClient, N::vip, N::far, 2000, true)));

  for (const AnyAddress& client : {N::client, N::far}) {
    out = proxy.pass(0, sctp_frame(kIn, client, 3000, N::vip, Proxy::kSctpPort, kSctpInit, 100));
    CHECK(checksums_hold(out));
    out = proxy.pass(0, udp_frame(kIn, client, 3000, N::vip, Proxy::kUdpPort));
    CHECK(checksums_hold(out));
  }
  CHECK(proxy.counter(WorkerCounter::masqueraded) == 6);
}

TEST_CASE_TEMPLATE("every connection has a port of its own, until there is none", F, Ipv4, Ipv6) {
  Proxy proxy({.extras = masquerading()}, with_ports(2000, 2015));
  std::set<uint16_t> ports;
  uint32_t made = 0;
  for (uint16_t port = 1; proxy.drops(DropReason::snat_ports_exhausted) == 0; port++) {
    REQUIRE(port < 100);
    proxy.poll(0, {syn<F>(port)});
    for (Bytes& frame : proxy.sent(1)) {
      made++;
      ports.insert(l4_of<TcpHeader>(frame).source_port.host());
    }
  }
  CHECK(made == 16);
  CHECK(ports.size() == made);
  CHECK(*ports.begin() == 2000);
  CHECK(*ports.rbegin() == 2015);
}

TEST_CASE_TEMPLATE("an expired flow in the way of a port is removed", F, Ipv4, Ipv6) {
  Proxy proxy({.extras = masquerading()}, with_ports(2000, 2000));
  proxy.pass(0, ask<F>(1));
  proxy.expect_drop(DropReason::snat_ports_exhausted, ask<F>(2));
  proxy.at(proxy.context.now_ms + 30'000);
  proxy.has_swept();
  Bytes out = proxy.pass(0, ask<F>(2));
  CHECK(l4_of<UdpHeader>(out).source_port.host() == 2000);
  CHECK(proxy.counter(WorkerCounter::flowsExpired) == 1);
  CHECK(proxy.flows<F>().used() == 1);
}

TEST_CASE_TEMPLATE("a pod that reaches itself sees an address of ours", F, Ipv4, Ipv6) {
  using N = Names<F>;
  Proxy proxy;
  proxy.poll(1, {tcp_frame(kBack, N::pod, 9000, N::vip, Proxy::kTcpPort, kTcpSyn)});
  const auto out = proxy.sent(1);
  REQUIRE(out.size() == 1);
  CHECK(out[0] == hopped(tcp_frame(kToPod, N::down, 9000, N::pod, Proxy::kTcpTarget, kTcpSyn)));
}

TEST_CASE_TEMPLATE("without an address of ours nothing is masqueraded", F, Ipv4, Ipv6) {
  using N = Names<F>;
  Proxy proxy({.extras = masquerading()});
  Delta none;
  none.address(0, N::up, N::clients.length);
  proxy.commit(none);
  proxy.expect_drop(DropReason::snat_address_missing, syn<F>());
  none.address(kNoInterface, N::nowhere, 32);  // the node's, on no interface
  proxy.commit(none);
  Bytes out = proxy.pass(0, syn<F>());
  CHECK(source_of(out) == N::nowhere);
  Delta away;
  away.remove_route(N::pods.prefix, N::pods.length);
  proxy.commit(away);
  proxy.expect_drop(DropReason::no_route, syn<F>(2));
}

TEST_CASE("link-local addresses are passed over") {
  using N = Names<Ipv6>;
  Proxy proxy({.extras = masquerading()});
  proxy.commit(Delta().address(1, ip6("fe80::5"), 64).address(1, N::down, 64));
  Bytes out = proxy.pass(0, syn<Ipv6>());
  CHECK(source_of(out) == N::down);
}

TEST_CASE_TEMPLATE("two services in front of one pod do not share a reply", F, Ipv4, Ipv6) {
  using N = Names<F>;
  Proxy proxy;
  const AnyAddress other =
      std::is_same_v<F, Ipv4> ? AnyAddress(ip(10, 96, 0, 2)) : AnyAddress(ip6("fd00::2"));
  proxy.commit(Delta().frontend(40, other, 80, kProtocolTcp, N::first_slot));
  proxy.pass(0, syn<F>(5000));
  Bytes out = proxy.pass(0, tcp_frame(kIn, N::client, 5000, other, 80, kTcpSyn));
  CHECK(l4_of<TcpHeader>(out).source_port.host() != 5000);
  Bytes back = proxy.pass(1, to_pod_reply<F>(out, kTcpAck));
  CHECK(source_of(back) == other);
  CHECK(l4_of<TcpHeader>(back).destination_port.host() == 5000);
}

TEST_CASE_TEMPLATE("a client keeps its backend while affinity lasts", F, Ipv4, Ipv6) {
  using N = Names<F>;
  FrontendExtras sticky;
  sticky.affinity = 60;
  Proxy proxy({.extras = sticky});
  Delta two;
  two.backend(50, N::other_pod, Proxy::kTcpTarget, N::first_slot);
  two.pool(N::first_slot, {{N::first_slot}, {50}});
  proxy.commit(two);
  Bytes first = proxy.pass(0, syn<F>(1));
  const Address chosen = destination_of(first);
  for (uint16_t port = 2; port < 30; port++) {
    Bytes out = proxy.pass(0, syn<F>(port));
    CHECK(destination_of(out) == chosen);
  }
  CHECK(proxy.counter(WorkerCounter::affinityHits) == 28);
  proxy.at(proxy.context.now_ms + 60'000);
  proxy.pass(0, syn<F>(30));
  CHECK(proxy.counter(WorkerCounter::affinityHits) == 28);

  // A memory of a backend that serves no longer is none.
  proxy.commit(Delta().pool(N::first_slot, {{N::first_slot, 0}, {50}}));
  Bytes out = proxy.pass(0, syn<F>(31));
  CHECK(destination_of(out) == N::other_pod);
  for (int polls = 0; polls < 3; polls++) proxy.idle();
  proxy.at(proxy.context.now_ms + 60'000);
  for (int polls = 0; polls < 3; polls++) proxy.idle();
  CHECK(proxy.affinities.used() == 0);
}

TEST_CASE_TEMPLATE("no backend, silently or not; another family's", F, Ipv4, Ipv6) {
  using N = Names<F>;
  Proxy proxy;
  proxy.commit(Delta().pool(N::first_slot, {{N::first_slot, 0}}));
  proxy.expect_drop(DropReason::no_backend, syn<F>());
  CHECK(proxy.sent(0).size() == 1);
  proxy.commit(Delta().pool(N::first_slot, {}, true));
  proxy.expect_drop(DropReason::no_local_backend, syn<F>());
  CHECK(proxy.sent(0).empty());
  proxy.commit(Delta().pool(N::first_slot, {{16 - N::first_slot}}));
  proxy.expect_drop(DropReason::no_backend, syn<F>());
  CHECK(proxy.sent(0).empty());
}

TEST_CASE_TEMPLATE("what may begin a connection", F, Ipv4, Ipv6) {
  using N = Names<F>;
  auto packet = [](uint8_t flags) {
    return tcp_frame(kIn, N::client, 1, N::vip, Proxy::kTcpPort, flags);
  };
  Proxy proxy;
  proxy.expect_drop(DropReason::tcp_no_flow, packet(kTcpRst));
  proxy.expect_drop(DropReason::tcp_no_flow, packet(kTcpFin | kTcpAck));
  proxy.pass(0, packet(kTcpAck));  // picked up midway
  Limits strict = kSmall;
  strict.tcp_pickup = false;
  Proxy other({}, strict);
  other.expect_drop(DropReason::tcp_no_flow, packet(kTcpAck));
  other.pass(0, packet(kTcpSyn));
}

TEST_CASE_TEMPLATE("a full table gives up embryonic flows, and no others", F, Ipv4, Ipv6) {
  Limits limits = kSmall;
  limits.flows = limits.flows6 = 8;
  Proxy proxy({}, limits);
  for (uint16_t port = 1; port <= 7; port++) {
    Bytes out = proxy.pass(0, syn<F>(port));
    proxy.pass(1, to_pod_reply<F>(out, kTcpSyn | kTcpAck));
    proxy.pass(0, tcp_frame(kIn, Names<F>::client, port, Names<F>::vip, 80, kTcpAck));
  }
  proxy.pass(0, syn<F>(8));
  proxy.expect_drop(DropReason::flow_table_full, syn<F>(9));  // what was freed is free later
  CHECK(proxy.counter(WorkerCounter::flowsEvicted) == 1);
  proxy.pass(0, syn<F>(10));
  CHECK(proxy.flows<F>().used() == 8);
}

TEST_CASE_TEMPLATE("sources that a service does not admit", F, Ipv4, Ipv6) {
  FrontendExtras extras;
  extras.ranges = {{Names<F>::far, std::is_same_v<F, Ipv4> ? uint8_t{32} : uint8_t{128}}};
  Proxy proxy;
  proxy.commit(Delta().frontend(Names<F>::first_slot, Names<F>::vip, 80, kProtocolTcp,
                                Names<F>::first_slot, extras));
  proxy.expect_drop(DropReason::source_not_allowed, syn<F>());
  proxy.pass(0, tcp_frame(kIn, Names<F>::far, 1, Names<F>::vip, 80, kTcpSyn));
}

TEST_CASE_TEMPLATE("addresses of services that do not exist", F, Ipv4, Ipv6) {
  using N = Names<F>;
  Proxy proxy;
  const AnyAddress other =
      std::is_same_v<F, Ipv4> ? AnyAddress(ip(10, 96, 0, 9)) : AnyAddress(ip6("fd00::9"));
  proxy.commit(
      Delta().service_network({N::vip, std::is_same_v<F, Ipv4> ? uint8_t{32} : uint8_t{128}}));
  proxy.expect_drop(DropReason::no_route, udp_frame(kIn, N::client, 1, other, 1));
  const Network services =
      std::is_same_v<F, Ipv4> ? Network{ip(10, 96, 0, 0), 16} : Network{ip6("fd00::"), 64};
  proxy.commit(Delta().service_network(services));
  proxy.expect_drop(DropReason::service_address_unknown, udp_frame(kIn, N::client, 1, other, 1));
}

}  // namespace sluice
