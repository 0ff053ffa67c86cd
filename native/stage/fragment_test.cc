// SPDX-License-Identifier: Apache-2.0
// Datagrams in fragments on their way through the path. The rules of the table itself are tested
// beside it.
#include "stage/fragment.h"

#include "testing/proxy.h"

namespace sluice {
namespace {

// A request of 40 bytes of L4 in three fragments, and how they have to go out.
template <class F>
std::vector<Bytes> request(uint16_t identification = 9) {
  return fragments_of(ask<F>(40000, 32), 16, identification);
}
template <class F>
std::vector<Bytes> request_out(uint16_t identification = 9) {
  auto pieces =
      fragments_of(udp_frame(kToPod, Names<F>::client, 40000, Names<F>::pod, Proxy::kUdpTarget, 32),
                   16, identification);
  for (Bytes& piece : pieces) piece = hopped(piece);
  return pieces;
}

}  // namespace

TEST_CASE_TEMPLATE("fragments go the way of the first one, each by itself", F, Ipv4, Ipv6) {
  Proxy proxy;
  proxy.poll(0, request<F>());
  CHECK(proxy.sent(1) == request_out<F>());
  CHECK(proxy.flows<F>().used() == 1);
  CHECK(proxy.flows<F>().entry(0).packets == 3);
  CHECK(proxy.counter(WorkerCounter::fragments) == 0);  // all of it was seen
}

TEST_CASE_TEMPLATE("later fragments wait for the first, and follow it in their order", F, Ipv4,
                   Ipv6) {
  Proxy proxy;
  const auto in = request<F>();
  const auto out = request_out<F>();
  proxy.poll(0, {in[2], in[1]});
  CHECK(proxy.sent(1).empty());
  CHECK(proxy.counter(WorkerCounter::held) == 2);
  CHECK(proxy.counter(WorkerCounter::fragmentPackets) == 2);
  CHECK(proxy.counter(WorkerCounter::fragments) == 1);
  proxy.poll(0, {in[0]});
  CHECK(proxy.sent(1) == std::vector<Bytes>{out[0], out[2], out[1]});
  CHECK(proxy.counter(WorkerCounter::forwarded) == 3);
  CHECK(proxy.counter(WorkerCounter::rx) == 3);
  CHECK(proxy.counter(WorkerCounter::held) == 0);
}

TEST_CASE_TEMPLATE("a burst of later fragments and its first one, all in one", F, Ipv4, Ipv6) {
  Proxy proxy;
  const auto in = request<F>();
  const auto out = request_out<F>();
  proxy.poll(0, {in[1], in[0], in[2]});
  CHECK(proxy.sent(1) == std::vector<Bytes>{out[0], out[2], out[1]});
}

TEST_CASE("more fragments are set free than a burst holds") {
  Proxy proxy;
  const auto in = fragments_of(ask<Ipv4>(1, 100 * 8), 8);
  std::vector<Bytes> later(in.begin() + 1, in.end());
  proxy.poll(0, {later.begin(), later.begin() + 64});
  proxy.poll(0, {later.begin() + 64, later.end()});
  CHECK(proxy.counter(WorkerCounter::fragmentPackets) == 100);
  proxy.poll(0, {in[0]});
  CHECK(proxy.sent(1).size() == 101);
  CHECK(proxy.flows4.entry(0).packets == 101);
}

TEST_CASE_TEMPLATE("fragments wait for a neighbour as others do", F, Ipv4, Ipv6) {
  Proxy proxy({.resolved = false});
  const auto in = request<F>();
  proxy.poll(0, {in[2], in[0]});
  CHECK(proxy.counter(WorkerCounter::held) == 2);
  CHECK(proxy.counter(WorkerCounter::fragmentPackets) == 0);
  CHECK(proxy.sent(1).size() == 1);  // one request for both
  proxy.neighbours.find(1, Names<F>::pod)->learn(kPodMac.data(), proxy.context.now_ms);
  proxy.idle();
  CHECK(proxy.sent(1).size() == 2);
}

TEST_CASE_TEMPLATE("fragments that miss their first one are dropped in the end", F, Ipv4, Ipv6) {
  Proxy proxy;
  const auto in = request<F>();
  proxy.poll(0, {in[1], in[2]});
  proxy.at(proxy.context.now_ms + 29'000);
  proxy.idle();
  CHECK(proxy.counter(WorkerCounter::held) == 2);
  proxy.at(proxy.context.now_ms + 1'000);
  proxy.idle();
  CHECK(proxy.drops(DropReason::fragment_timeout) == 2);
  CHECK(proxy.counter(WorkerCounter::fragments) == 0);
}

TEST_CASE_TEMPLATE("fragments whose interface goes are dropped", F, Ipv4, Ipv6) {
  Proxy proxy;
  proxy.poll(0, {request<F>()[1]});
  drop_held(proxy.context, 1);
  CHECK(proxy.counter(WorkerCounter::held) == 1);
  drop_held(proxy.context, 0);
  CHECK(proxy.counter(WorkerCounter::held) == 0);
  CHECK(proxy.drops(DropReason::interface_removed) == 1);
}

TEST_CASE_TEMPLATE("overlaps, full tables and full queues", F, Ipv4, Ipv6) {
  Limits limits = kSmall;
  limits.fragments = 2;
  limits.fragment_packets = 2;
  Proxy proxy({}, limits);
  proxy.poll(0, {request<F>(1)[1], request<F>(2)[1]});
  proxy.expect_drop(DropReason::fragment_queue_full, request<F>(2)[2]);
  proxy.expect_drop(DropReason::fragment_table_full, request<F>(3)[1]);
  proxy.expect_drop(DropReason::fragment_overlap, request<F>(1)[1]);  // again the same
  Bytes wider = fragments_of(ask<F>(40000, 48), 24, 1)[1];
  proxy.poll(0, {wider});
  CHECK(proxy.drops(DropReason::fragment_overlap) == 3);              // with what waited
  proxy.expect_drop(DropReason::fragment_overlap, request<F>(1)[0]);  // the datagram is spoilt
}

TEST_CASE_TEMPLATE("later fragments without a flow", F, Ipv4, Ipv6) {
  using N = Names<F>;
  Proxy proxy;
  const auto pieces =
      fragments_of(tcp_frame(kIn, N::client, 1, N::vip, Proxy::kTcpPort, kTcpFin, 30), 24);
  proxy.poll(0, pieces);
  CHECK(proxy.drops(DropReason::tcp_no_flow) == 1);
  CHECK(proxy.drops(DropReason::fragment_orphan) == pieces.size() - 1);
  // Plain routing has no flows, and takes fragments of any protocol.
  const auto plain = fragments_of(udp_frame(kIn, N::client, 1, N::pod, 2, 30), 16);
  proxy.poll(0, plain);
  CHECK(proxy.sent(1).size() == plain.size());
  proxy.poll(0, {fragments_of(ip_frame(kIn, N::client, N::pod, 47, Bytes(30)), 16)[1]});
  CHECK(proxy.sent(1).size() == 1);
}

TEST_CASE_TEMPLATE("SCTP in fragments cannot get other ports", F, Ipv4, Ipv6) {
  using N = Names<F>;
  Proxy proxy;
  const auto pieces =
      fragments_of(sctp_frame(kIn, N::client, 1, N::vip, Proxy::kSctpPort, kSctpInit, 40), 24);
  proxy.poll(0, pieces);
  CHECK(proxy.drops(DropReason::fragment_untranslatable) == 1);
  CHECK(proxy.flows<F>().used() == 1);
  CHECK(proxy.sent(1).size() == pieces.size() - 1);

  // Where they stay, addresses are all that changes.
  Delta same;
  same.backend(60, N::pod, Proxy::kSctpPort, 60).pool(60, {{60}});
  same.frontend(N::first_slot + 2, N::vip, Proxy::kSctpPort, kProtocolSctp, 60);
  proxy.commit(same);
  const auto others =
      fragments_of(sctp_frame(kIn, N::client, 2, N::vip, Proxy::kSctpPort, kSctpInit, 40), 24);
  auto expected =
      fragments_of(sctp_frame(kToPod, N::client, 2, N::pod, Proxy::kSctpPort, kSctpInit, 40), 24);
  for (Bytes& piece : expected) piece = hopped(piece);
  proxy.poll(0, others);
  CHECK(proxy.sent(1) == expected);
}

TEST_CASE("extension headers behind the fragment header") {
  using N = Names<Ipv6>;
  Proxy proxy;
  Bytes payload{kProtocolUdp, 0, 1, 4, 0, 0, 0, 0};
  const Bytes udp = ask<Ipv6>(40000, 32);
  payload.insert(payload.end(), udp.begin() + 54, udp.end());
  const auto pieces =
      fragments_of(ip_frame(kIn, N::client, N::vip, kProtocolDestinationOptions, payload), 24);
  proxy.poll(0, {pieces[1], pieces[0]});
  CHECK(proxy.sent(1).size() == 2);
  CHECK(proxy.flows6.entry(0).packets == 2);
}

}  // namespace sluice
