// SPDX-License-Identifier: Apache-2.0
// What the sender of a rejected packet is told, who is not told, and how often.
#include "stage/reject.h"

#include "testing/proxy.h"

namespace sluice {
namespace {

// To a port of the service's address that is not the service's.
template <class F>
Bytes to_nothing(uint8_t flags, size_t data = 7) {
  return tcp_frame(kIn, Names<F>::client, 1, Names<F>::vip, 81, flags, data);
}

template <class F>
Bytes expected_reset(uint32_t sequence, uint32_t acknowledgement, uint8_t flags) {
  Bytes frame = tcp_frame(kToClient, Names<F>::vip, 81, Names<F>::client, 1, flags, 0);
  if (is_ipv4(frame)) {
    ip_of(frame).identification = {};
    ip_of(frame).flags_fragment = be16::from_host(kIpv4DontFragment);
  }
  l4_of<TcpHeader>(frame).sequence = be32::from_host(sequence);
  l4_of<TcpHeader>(frame).acknowledgement = be32::from_host(acknowledgement);
  write_checksums(frame);
  return frame;
}

template <class F>
Bytes expected_error(const Bytes& about) {
  Bytes frame = error_frame(kToClient, Names<F>::vip, Names<F>::client, about, Wire<F>::kQuoted);
  if (is_ipv4(frame)) {
    ip_of(frame).dscp_ecn = 0xc0;
    ip_of(frame).identification = {};
    ip_of(frame).flags_fragment = be16::from_host(kIpv4DontFragment);
    write_ip_checksum(frame);
  }
  return frame;
}

}  // namespace

TEST_CASE_TEMPLATE("TCP is reset (RFC 9293, 3.10.7.1)", F, Ipv4, Ipv6) {
  Proxy proxy;
  const std::pair<Bytes, Bytes> cases[] = {
      // The sequence numbers wrap: they begin at 0xfffffff0.
      {to_nothing<F>(kTcpSyn, 0), expected_reset<F>(0, 0xfffffff1, kTcpRst | kTcpAck)},
      {to_nothing<F>(kTcpSyn | kTcpFin, 20), expected_reset<F>(0, 6, kTcpRst | kTcpAck)},
      {to_nothing<F>(0, 7), expected_reset<F>(0, 0xfffffff7, kTcpRst | kTcpAck)},
      {to_nothing<F>(kTcpAck), expected_reset<F>(0x01020304, 0, kTcpRst)},
      {to_nothing<F>(kTcpSyn | kTcpAck), expected_reset<F>(0x01020304, 0, kTcpRst)},
  };
  for (const auto& [frame, reset] : cases) {
    proxy.expect_drop(DropReason::service_port_unknown, frame);
    const auto told = proxy.sent(0);
    REQUIRE(told.size() == 1);
    CHECK(told[0] == reset);
  }
  CHECK(proxy.counter(WorkerCounter::originated) == std::size(cases));
  proxy.expect_drop(DropReason::service_port_unknown, to_nothing<F>(kTcpRst));
  CHECK(proxy.sent(0).empty());
}

TEST_CASE_TEMPLATE("others are told that the port is unreachable", F, Ipv4, Ipv6) {
  using N = Names<F>;
  Proxy proxy;
  const Bytes frames[] = {
      udp_frame(kIn, N::client, 1, N::vip, 54),
      udp_frame(kIn, N::client, 1, N::vip, 54, 1400),  // longer than what is quoted
      sctp_frame(kIn, N::client, 1, N::vip, 54, kSctpInit),
      ip_frame(kIn, N::client, N::vip, 99, Bytes(3)),
  };
  for (const Bytes& frame : frames) {
    proxy.expect_drop(DropReason::service_port_unknown, frame);
    const auto told = proxy.sent(0);
    REQUIRE(told.size() == 1);
    CHECK(told[0] == expected_error<F>(frame));
    CHECK(told[0].size() <= kAllocatedRoom);
    CHECK(checksums_hold(told[0]));
  }
}

TEST_CASE_TEMPLATE("an echo request is told, other ICMP and later fragments are not", F, Ipv4,
                   Ipv6) {
  using N = Names<F>;
  Proxy proxy;
  proxy.commit(Delta().remove_frontend(N::first_slot + 3));
  const Bytes request = echo_frame(kIn, N::client, N::vip);
  proxy.expect_drop(DropReason::service_port_unknown, request);
  const auto told = proxy.sent(0);
  REQUIRE(told.size() == 1);
  CHECK(told[0] == expected_error<F>(request));

  proxy.expect_drop(DropReason::service_port_unknown, echo_frame(kIn, N::client, N::vip, 1, true));
  proxy.expect_drop(DropReason::icmp_error_unrelated,
                    error_frame(kIn, N::client, N::vip, ask<F>()));
  CHECK(proxy.sent(0).empty());
  const auto pieces = fragments_of(udp_frame(kIn, N::client, 1, N::vip, 54, 40), 24);
  proxy.expect_drop(DropReason::service_port_unknown, pieces[0]);
  CHECK(proxy.sent(0).size() == 1);
  proxy.expect_drop(DropReason::service_port_unknown, pieces[1]);
  CHECK(proxy.sent(0).empty());
}

template <class F>
Bytes expected_turn_back(const Bytes& about, IcmpKind kind, uint16_t mtu = 0) {
  Bytes frame = expected_error<F>(about);
  auto& icmp = l4_of<IcmpHeader>(frame);
  icmp.type = kind.type;
  icmp.code = kind.code;
  icmp.rest = be16::from_host(mtu);
  if constexpr (F::kVersion == 4) {
    ip_of(frame).source = F::from(Names<F>::up);
  } else {
    ip6_of(frame).source = Names<F>::up;
  }
  write_checksums(frame);
  return frame;
}

template <class F>
Bytes last_hop(Bytes frame) {
  if constexpr (F::kVersion == 4) {
    ip_of(frame).ttl = 1;
    write_ip_checksum(frame);
  } else {
    ip6_of(frame).hop_limit = 1;
  }
  return frame;
}

TEST_CASE_TEMPLATE("who cannot be sent on is turned back, as it came in", F, Ipv4, Ipv6) {
  using N = Names<F>;
  Proxy proxy;
  proxy.pass(0, ask<F>());
  const auto expect = [&](DropReason reason, const Bytes& frame, IcmpKind kind, uint16_t mtu = 0) {
    proxy.expect_drop(reason, frame);
    const auto told = proxy.sent(0);
    REQUIRE(told.size() == 1);
    CHECK(told[0] == expected_turn_back<F>(frame, kind, mtu));
    CHECK(checksums_hold(told[0]));
  };
  expect(DropReason::ttl_expired, last_hop<F>(ask<F>()), Wire<F>::kTimeExceeded);
  expect(DropReason::no_route, udp_frame(kIn, N::client, 1, N::nowhere, 1), Wire<F>::kNoRoute);
  expect(DropReason::mtu_exceeded, ask<F>(40000, 1500), Wire<F>::kTooBig, 1500);
  proxy.up[1] = false;
  expect(DropReason::interface_down, ask<F>(), Wire<F>::kAddressUnreachable);
  CHECK(proxy.counter(WorkerCounter::originated) == 4);
}

TEST_CASE_TEMPLATE("nobody is told about ICMP errors and later fragments, or without a source", F,
                   Ipv4, Ipv6) {
  using N = Names<F>;
  Limits limits = kSmall;
  limits.icmp_rate = 2;
  Proxy proxy({}, limits);
  proxy.expect_drop(DropReason::no_route, error_frame(kIn, N::client, N::nowhere, ask<F>()));
  CHECK(proxy.sent(0).empty());
  const auto pieces = fragments_of(udp_frame(kIn, N::client, 1, N::nowhere, 54, 40), 24);
  proxy.expect_drop(DropReason::no_route, pieces[0]);
  CHECK(proxy.sent(0).size() == 1);
  proxy.expect_drop(DropReason::no_route, pieces[1]);
  CHECK(proxy.sent(0).empty());
  proxy.commit(Delta().address(1, N::down, N::pods.length));
  proxy.expect_drop(DropReason::ttl_expired, last_hop<F>(ask<F>()));
  CHECK(proxy.sent(0).empty());
  CHECK(proxy.counter(WorkerCounter::icmpLimited) == 0);
  proxy.commit(Delta().address(0, N::up, N::clients.length));
  proxy.poll(0, {last_hop<F>(ask<F>()), last_hop<F>(ask<F>())});
  CHECK(proxy.sent(0).size() == 1);
  CHECK(proxy.counter(WorkerCounter::icmpLimited) == 1);
}

TEST_CASE("a flood is told no more than the budget allows") {
  Limits limits = kSmall;
  limits.icmp_rate = 10;
  Proxy proxy({}, limits);
  proxy.poll(0, std::vector<Bytes>(16, to_nothing<Ipv4>(kTcpSyn)));
  CHECK(proxy.sent(0).size() == 10);
  CHECK(proxy.counter(WorkerCounter::icmpLimited) == 6);
  proxy.at(proxy.context.now_ms + 99);
  proxy.poll(0, {to_nothing<Ipv6>(kTcpSyn)});
  CHECK(proxy.counter(WorkerCounter::icmpLimited) == 7);
  proxy.at(proxy.context.now_ms + 1);
  proxy.poll(0, std::vector<Bytes>(2, to_nothing<Ipv6>(kTcpSyn)));
  CHECK(proxy.sent(0).size() == 1);
  proxy.at(proxy.context.now_ms + 100'000'000);  // no more than a second's worth is saved up
  proxy.poll(0, std::vector<Bytes>(16, to_nothing<Ipv4>(kTcpSyn)));
  CHECK(proxy.sent(0).size() == 10);
  CHECK(proxy.counter(WorkerCounter::originated) == 21);
}

TEST_CASE("without a buffer nobody is told, and nothing is lost") {
  Limits limits = kSmall;
  limits.icmp_rate = 1;
  Proxy proxy({}, limits);
  proxy.outside.out_of_buffers = true;
  proxy.expect_drop(DropReason::service_port_unknown, to_nothing<Ipv4>(kTcpSyn));
  CHECK(proxy.counter(WorkerCounter::originated) == 0);
  proxy.outside.out_of_buffers = false;
  proxy.expect_drop(DropReason::service_port_unknown, to_nothing<Ipv4>(kTcpSyn));
  CHECK(proxy.counter(WorkerCounter::icmpLimited) == 1);  // the token was taken
}

}  // namespace sluice
