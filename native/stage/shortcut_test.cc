// SPDX-License-Identifier: Apache-2.0
// When a packet may take the shortcut, and that any change is noticed by the very next one. That
// what comes out is the same either way is shown by the other tests of the path, and at large by
// the differential test.
#include "stage/shortcut.h"

#include "testing/proxy.h"

namespace sluice {
namespace {

template <class F>
Bytes answer(uint16_t port = 40000) {
  return udp_frame(kBack, Names<F>::pod, Proxy::kUdpTarget, Names<F>::client, port);
}
template <class F>
Bytes data(uint8_t flags = kTcpAck, uint16_t port = 40000) {
  return tcp_frame(kIn, Names<F>::client, port, Names<F>::vip, Proxy::kTcpPort, flags);
}
template <class F>
Bytes pod_data(uint8_t flags = kTcpAck, uint16_t port = 40000) {
  return tcp_frame(kBack, Names<F>::pod, Proxy::kTcpTarget, Names<F>::client, port, flags);
}

// A proxy with a UDP connection whose next packets may take the shortcut, both ways.
template <class F>
struct Steady : Proxy {
  explicit Steady(const Options& options = {}) : Proxy(options) {
    pass(0, ask<F>());
    pass(1, answer<F>());
  }
  FlowEntry<F>& forward() { return flows<F>().entry(0); }
  // Leads whoever takes the shortcut, and nobody else, back to where the packet came from.
  void mark(uint32_t index = 0) {
    FlowEntry<F>& entry = flows<F>().entry(index);
    FlowWay way = entry.load_way();
    way.adjacency = flows<F>().entry(1).load_way().adjacency;
    entry.store_way(way);
  }
  bool takes_shortcut(const Bytes& frame) {
    poll(0, {frame});
    const size_t back = sent(0).size(), on = sent(1).size();
    CHECK(back + on == 1);
    return back == 1;
  }
};

bool goes_to(const Bytes& frame, const Mac& mac) {
  return std::equal(mac.begin(), mac.end(), frame.begin());
}

}  // namespace

TEST_CASE_TEMPLATE("a steady flow's packets take the shortcut, and leave as before", F, Ipv4,
                   Ipv6) {
  Steady<F> proxy;
  const Bytes out = proxy.pass(0, ask<F>()), back = proxy.pass(1, answer<F>());
  CHECK(out == proxy.pass(0, ask<F>()));
  CHECK(back == proxy.pass(1, answer<F>()));
  CHECK(proxy.forward().packets == 3);
  CHECK(proxy.forward().last_seen == proxy.context.now_s);
  proxy.mark();
  CHECK(proxy.takes_shortcut(ask<F>()));
}

TEST_CASE_TEMPLATE("what a commit may have changed is looked up again", F, Ipv4, Ipv6) {
  using N = Names<F>;
  constexpr uint32_t udp = N::first_slot + Proxy::udp;
  struct Change {
    Delta delta;
    bool matters;
  };
  Change changes[7];
  changes[0] = {Delta().backend(32, N::other_pod, 1, 0), false};
  changes[1] = {Delta().pool(udp, {{udp, 7}}), false};
  changes[2] = {Delta().backend(udp, N::pod, Proxy::kUdpTarget, udp), true};
  changes[3] = {Delta().remove_backend(33), true};
  changes[4] = {Delta().route(N::clients.prefix, N::clients.length, 0), true};
  changes[5] = {Delta().remove_route(N::nowhere, F::kBits), true};
  changes[6] = {Delta().group(3, {{0}}), true};
  for (const Change& change : changes) {
    Steady<F> proxy;
    proxy.commit(change.delta);
    proxy.mark();
    CHECK(proxy.takes_shortcut(ask<F>()) != change.matters);
  }
}

TEST_CASE_TEMPLATE("interfaces that come and go are noticed", F, Ipv4, Ipv6) {
  Steady<F> proxy;
  proxy.add_interface(2);
  proxy.mark();
  CHECK_FALSE(proxy.takes_shortcut(ask<F>()));
  proxy.pass(0, ask<F>());  // which finds a way that is good again
  proxy.up[1] = false;
  proxy.expect_drop(DropReason::interface_down, ask<F>());
  proxy.up[1] = true;
  proxy.pass(0, ask<F>());
  proxy.remove_interface(1);
  proxy.expect_drop(DropReason::no_route, ask<F>());
}

TEST_CASE_TEMPLATE("a detour is not remembered: the flow is back as soon as its link is", F, Ipv4,
                   Ipv6) {
  using N = Names<F>;
  Proxy proxy;
  proxy.add_interface(2);
  proxy.commit(
      Delta()
          .group(3, {{1, kOnLink, {2, 2, 2, 2, 2, 2}, 100}, {2, kOnLink, {2, 3, 3, 3, 3, 3}, 200}})
          .route_by(N::pods.prefix, N::pods.length, 3));
  uint32_t owned[3] = {};
  for (uint16_t port = 1000; port < 1032; port++) {
    const auto way = [&]() -> uint16_t {
      proxy.poll(0, {ask<F>(port)});
      const size_t by1 = proxy.sent(1).size(), by2 = proxy.sent(2).size();
      REQUIRE(by1 + by2 == 1);
      return by1 == 1 ? 1 : 2;
    };
    const uint16_t owner = way(), other = owner ^ 3;
    owned[owner]++;
    CHECK(way() == owner);
    for (int outages = 0; outages < 2; outages++) {
      proxy.up[owner] = false;
      CHECK(way() == other);
      CHECK(way() == other);
      proxy.up[owner] = true;
      CHECK(way() == owner);
      CHECK(way() == owner);
    }
    proxy.up[other] = false;  // which is not its business
    CHECK(way() == owner);
    proxy.up[other] = true;
  }
  CHECK(owned[1] > 4);
  CHECK(owned[2] > 4);
}

TEST_CASE_TEMPLATE("what the stages would drop is dropped", F, Ipv4, Ipv6) {
  Steady<F> proxy;
  Bytes last_hop = ask<F>();
  if constexpr (F::kVersion == 4) {
    ip_of(last_hop).ttl = 1;
    write_ip_checksum(last_hop);
  } else {
    ip6_of(last_hop).hop_limit = 1;
  }
  proxy.expect_drop(DropReason::ttl_expired, last_hop);
  proxy.expect_drop(DropReason::mtu_exceeded, ask<F>(40000, 1473));
}

TEST_CASE_TEMPLATE("silence and resets are for the stages; flags that are new count on either way",
                   F, Ipv4, Ipv6) {
  Steady<F> proxy;
  proxy.at(proxy.context.now_ms + 29'000);
  proxy.mark();
  CHECK(proxy.takes_shortcut(ask<F>()));
  proxy.at(proxy.context.now_ms + 30'000);
  CHECK_FALSE(proxy.takes_shortcut(ask<F>()));

  proxy.pass(0, data<F>(kTcpSyn));
  proxy.pass(1, pod_data<F>(kTcpSyn | kTcpAck));
  FlowTable<F>& flows = proxy.template flows<F>();
  const uint32_t index = 2;
  CHECK(flows.state(index) == FlowState::syn_received);
  proxy.pass(0, data<F>());
  CHECK(flows.state(index) == FlowState::established);
  proxy.pass(0, data<F>());
  proxy.mark(index);
  CHECK(proxy.takes_shortcut(data<F>(kTcpFin | kTcpAck)));
  CHECK(flows.state(index) == FlowState::close_wait);
  proxy.pass(1, pod_data<F>(kTcpRst));
  CHECK(flows.state(index) == FlowState::closed);
  proxy.pass(1, pod_data<F>());
  CHECK(flows.state(index) == FlowState::close_wait);  // it was not meant
}

TEST_CASE_TEMPLATE("within a burst the order of the packets counts", F, Ipv4, Ipv6) {
  Proxy proxy;
  proxy.pass(0, data<F>(kTcpSyn));
  proxy.pass(1, pod_data<F>(kTcpSyn | kTcpAck));
  proxy.pass(0, data<F>(kTcpFin | kTcpAck));
  proxy.pass(0, data<F>(kTcpFin | kTcpAck));
  // The reset comes first and is taken back by what follows.
  proxy.poll(1, {pod_data<F>(), pod_data<F>(kTcpRst), pod_data<F>()});
  CHECK(proxy.sent(0).size() == 3);
  CHECK(proxy.flows<F>().state(0) == FlowState::close_wait);
  // A new connection on the tuple: what follows in the burst is of the new one.
  proxy.pass(1, pod_data<F>(kTcpFin | kTcpAck));
  CHECK(proxy.flows<F>().state(0) == FlowState::time_wait);
  proxy.poll(0, {data<F>(), data<F>(kTcpSyn), data<F>()});
  CHECK(proxy.sent(1).size() == 3);
  CHECK(proxy.counter(WorkerCounter::flowsCreated) == 2);
  const FlowEntry<F>& fresh = proxy.flows<F>().entry(2);
  CHECK(fresh.packets == 2);
  CHECK(proxy.flows<F>().used() == 1);
}

TEST_CASE("a neighbour's MAC is the one that is known now, and it is asked for in time") {
  Proxy proxy({.resolved = false});
  auto pod_is_at = [&](const Mac& mac) {
    return arp_frame({mac, World::mac(1)}, kArpReply, ip(10, 244, 0, 1), ip(10, 244, 0, 254));
  };
  proxy.poll(1, {pod_is_at(kPodMac)});
  proxy.poll(0, {ask<Ipv4>()});
  proxy.sent(1);
  proxy.poll(0, {ask<Ipv4>()});
  CHECK(goes_to(proxy.sent(1).at(0), kPodMac));
  proxy.poll(1, {pod_is_at(kClientMac)});
  proxy.sent(1);
  proxy.poll(0, {ask<Ipv4>()});
  CHECK(goes_to(proxy.sent(1).at(0), kClientMac));

  const uint64_t before = proxy.counter(WorkerCounter::originated);
  for (uint32_t seconds = 0; seconds < 70; seconds += 10) {
    proxy.at(proxy.context.now_ms + 10'000);
    proxy.poll(0, {ask<Ipv4>()});
  }
  CHECK(proxy.counter(WorkerCounter::originated) > before);
}

TEST_CASE("a flow to a flushed backend ends with its next packet") {
  constexpr uint32_t udp = Proxy::udp;
  Proxy proxy;
  proxy.commit(Delta().backend(udp, Names<Ipv4>::pod, Proxy::kUdpTarget, udp, true));
  proxy.pass(0, ask<Ipv4>());
  proxy.pass(0, ask<Ipv4>());
  CHECK(proxy.counter(WorkerCounter::flowsCleared) == 1);
  CHECK(proxy.counter(WorkerCounter::flowsCreated) == 2);
}

TEST_CASE_TEMPLATE("what goes to a backend as it came takes the shortcut", F, Ipv4, Ipv6) {
  using N = Names<F>;
  constexpr uint32_t udp = N::first_slot + Proxy::udp;
  Proxy proxy;
  proxy.add_interface(2);
  const Mac server = {2, 9, 9, 9, 9, 9};
  proxy.commit(Delta()
                   .group(3, {{2, kOnLink, {2, 9, 9, 9, 9, 9}}})
                   .backend(udp, N::pod, Proxy::kUdpTarget, udp, false, 3));
  const auto out = [&] {
    proxy.poll(0, {ask<F>()});
    auto sent = proxy.sent(2);
    REQUIRE(sent.size() == 1);
    return sent[0];
  };
  const Bytes first = out();
  CHECK(goes_to(first, server));
  CHECK(proxy.flows<F>().entry(0).load_way().stamp == proxy.context.snapshot->stamp);
  CHECK(out() == first);
  CHECK(proxy.flows<F>().entry(0).packets == 2);
  Bytes expected = hopped(ask<F>());
  std::copy(first.begin(), first.begin() + 12, expected.begin());
  CHECK(first == expected);
  // Another next hop: the very next packet goes there.
  proxy.commit(Delta().group(3, {{1, kOnLink, {2, 2, 2, 2, 2, 2}}}));
  CHECK(goes_to(proxy.pass(0, ask<F>()), kPodMac));
}

TEST_CASE_TEMPLATE("what goes to the host does not", F, Ipv4, Ipv6) {
  using N = Names<F>;
  constexpr uint32_t udp = N::first_slot + Proxy::udp;
  Proxy proxy;
  proxy.add_interface(2);
  proxy.commit(Delta().scope(2, 2).backend(udp, N::down, Proxy::kUdpTarget, udp));
  proxy.commit(Delta().pool(udp, {{udp}}));
  proxy.neighbours.find_or_add(2, N::down)->learn(kPodMac.data(), proxy.context.now_ms);
  for (uint64_t n = 1; n <= 3; n++) {
    proxy.poll(0, {ask<F>()});
    auto sent = proxy.sent(2);
    REQUIRE(sent.size() == 1);
    CHECK(destination_of(sent[0]) == N::down);
    const auto lifetime = [](Bytes frame) {
      return is_ipv4(frame) ? ip_of(frame).ttl : ip6_of(frame).hop_limit;
    };
    CHECK(lifetime(sent[0]) == lifetime(ask<F>()));
    CHECK(proxy.counter(WorkerCounter::host) == n);
    CHECK(proxy.flows<F>().entry(0).load_way().stamp == 0);
  }
  CHECK(proxy.counter(WorkerCounter::forwarded) == 0);
}

}  // namespace sluice
