// SPDX-License-Identifier: Apache-2.0
// What ends a flow: age, its backend's end, and a new connection on its tuple.
#include "stage/flow.h"

#include "testing/proxy.h"

namespace sluice {
namespace {

// The pod gives way to another one, of another slot, in all services of a family.
template <class F>
void replace_pod(Proxy& proxy) {
  using N = Names<F>;
  const uint16_t targets[] = {Proxy::kTcpTarget, Proxy::kUdpTarget, Proxy::kSctpTarget, 0};
  Delta delta;
  for (uint32_t i = 0; i < 4; i++) {
    delta.backend(32 + i, N::other_pod, targets[i], N::first_slot + i);
    delta.pool(N::first_slot + i, {{32 + i}}).remove_backend(N::first_slot + i);
  }
  proxy.commit(delta);
}

template <class F>
void flush_pod(Proxy& proxy) {
  using N = Names<F>;
  Delta delta;
  const uint16_t targets[] = {Proxy::kTcpTarget, Proxy::kUdpTarget};
  for (uint32_t i = 0; i < 2; i++) {
    delta.backend(N::first_slot + i, N::pod, targets[i], N::first_slot + i, true);
    delta.backend(32 + i, N::other_pod, targets[i], N::first_slot + i);
    delta.pool(N::first_slot + i, {{32 + i}});
  }
  proxy.commit(delta);
}

template <class F>
Bytes midway(uint16_t port = 40000, uint8_t flags = kTcpAck) {
  return tcp_frame(kIn, Names<F>::client, port, Names<F>::vip, Proxy::kTcpPort, flags);
}
template <class F>
Bytes pod_reply(uint8_t flags, uint16_t port = 40000) {
  return tcp_frame(kBack, Names<F>::pod, Proxy::kTcpTarget, Names<F>::client, port, flags);
}

}  // namespace

TEST_CASE_TEMPLATE("a flow that has expired is a miss", F, Ipv4, Ipv6) {
  using N = Names<F>;
  Proxy proxy;
  proxy.pass(0, ask<F>(7));
  proxy.at(proxy.context.now_ms + 30'000);
  proxy.has_swept();  // the sweep is elsewhere
  Bytes out = proxy.pass(1, udp_frame(kBack, N::pod, Proxy::kUdpTarget, N::client, 7));
  CHECK(proxy.counter(WorkerCounter::flowsExpired) == 1);
  CHECK(proxy.flows<F>().used() == 0);
  CHECK(source_of(out) == N::pod);  // plain routing
}

TEST_CASE_TEMPLATE("when the backend goes, what may begin anew moves on", F, Ipv4, Ipv6) {
  using N = Names<F>;
  Proxy proxy;
  proxy.poll(0, {syn<F>(1), syn<F>(2), ask<F>(3), echo_frame(kIn, N::client, N::vip, 4)});
  CHECK(proxy.sent(1).size() == 4);
  replace_pod<F>(proxy);
  proxy.poll(0, {midway<F>(1), syn<F>(2), ask<F>(3), echo_frame(kIn, N::client, N::vip, 4)});
  auto out = proxy.sent(1);
  REQUIRE(out.size() == 4);
  CHECK(destination_of(out[0]) == N::pod);
  for (size_t i = 1; i < 4; i++) CHECK(destination_of(out[i]) == N::other_pod);
  CHECK(proxy.flows<F>().used() == 4);
  CHECK(proxy.counter(WorkerCounter::flowsCleared) == 3);
  CHECK(proxy.counter(WorkerCounter::flowsExpired) == 0);
}

TEST_CASE_TEMPLATE("the sweep clears UDP and echo of a backend that is gone", F, Ipv4, Ipv6) {
  using N = Names<F>;
  Proxy proxy;
  proxy.poll(0, {syn<F>(1), ask<F>(3), echo_frame(kIn, N::client, N::vip, 4)});
  replace_pod<F>(proxy);
  proxy.idle();
  CHECK(proxy.counter(WorkerCounter::flowsCleared) == 0);
  proxy.at(proxy.context.now_ms + 1);
  proxy.idle();
  CHECK(proxy.counter(WorkerCounter::flowsCleared) == 2);
  CHECK(proxy.flows<F>().used() == 1);
}

TEST_CASE_TEMPLATE("a backend that is flushed loses all of its connections", F, Ipv4, Ipv6) {
  Proxy proxy;
  proxy.poll(0, {syn<F>(1), syn<F>(2), syn<F>(3), ask<F>(4)});
  proxy.sent(1);
  flush_pod<F>(proxy);
  proxy.has_swept();
  proxy.expect_drop(DropReason::backend_flushed, midway<F>(1));
  auto told = proxy.sent(0);
  REQUIRE(told.size() == 1);
  CHECK(l4_of<TcpHeader>(told[0]).flags == kTcpRst);
  CHECK(checksums_hold(told[0]));
  proxy.has_swept();
  proxy.expect_drop(DropReason::backend_flushed, pod_reply<F>(kTcpAck, 2), 1);
  CHECK(proxy.sent(1).empty());  // the pod is not told
  proxy.has_swept();
  proxy.poll(0, {syn<F>(3), ask<F>(4)});
  for (Bytes& frame : proxy.sent(1)) CHECK(destination_of(frame) == Names<F>::other_pod);
  CHECK(proxy.counter(WorkerCounter::flowsCleared) == 4);
}

TEST_CASE_TEMPLATE("a SYN on the tuple of a closed connection begins anew", F, Ipv4, Ipv6) {
  Proxy proxy;
  proxy.pass(0, syn<F>());
  proxy.pass(1, pod_reply<F>(kTcpRst));
  CHECK(proxy.flows<F>().state(0) == FlowState::closed);
  proxy.pass(0, midway<F>());
  CHECK(proxy.counter(WorkerCounter::flowsCreated) == 1);
  proxy.pass(0, syn<F>());
  CHECK(proxy.counter(WorkerCounter::flowsCreated) == 2);
  CHECK(proxy.flows<F>().used() == 1);

  proxy.pass(1, pod_reply<F>(kTcpFin | kTcpAck));
  proxy.pass(0, midway<F>(40000, kTcpFin | kTcpAck));
  CHECK(proxy.flows<F>().state(proxy.flows<F>().used() == 1 ? 2 : 0) == FlowState::time_wait);
  proxy.pass(0, syn<F>());
  CHECK(proxy.counter(WorkerCounter::flowsCreated) == 3);
}

TEST_CASE("an ABORT ends an SCTP association") {
  using N = Names<Ipv4>;
  Proxy proxy;
  auto chunk = [](uint8_t type) {
    return sctp_frame(kIn, N::client, 5, N::vip, Proxy::kSctpPort, type);
  };
  proxy.expect_drop(DropReason::tcp_no_flow, chunk(kSctpAbort));
  proxy.pass(0, chunk(kSctpInit));
  proxy.pass(0, chunk(kSctpAbort));
  CHECK(proxy.flows4.state(0) == FlowState::closed);
  proxy.pass(0, chunk(kSctpInit));
  CHECK(proxy.counter(WorkerCounter::flowsCreated) == 2);
}

}  // namespace sluice
