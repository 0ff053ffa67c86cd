// SPDX-License-Identifier: Apache-2.0
// A world of both families for tests of the path: interface 0 towards clients, 1 towards pods, and
// a service of every protocol in front of one pod.
#pragma once

#include "testing/world.h"

namespace sluice {

inline constexpr Mac kClientMac = {2, 1, 1, 1, 1, 1}, kPodMac = {2, 2, 2, 2, 2, 2};

inline const Stations kIn{kClientMac, World::mac(0)};  // client to us
inline const Stations kBack{kPodMac, World::mac(1)};   // pod to us
inline const Stations kToPod{World::mac(1), kPodMac};  // and what we send
inline const Stations kToClient{World::mac(0), kClientMac};

// Who is who, in one family.
template <class F>
struct Names;
template <>
struct Names<Ipv4> {
  static inline const AnyAddress up = ip(10, 0, 0, 1), down = ip(10, 244, 0, 254),
                                 client = ip(10, 0, 0, 77), vip = ip(10, 96, 0, 1),
                                 pod = ip(10, 244, 0, 1), other_pod = ip(10, 244, 0, 2),
                                 far = ip(10, 0, 0, 99), nowhere = ip(8, 8, 8, 8);
  static inline const Network clients{ip(10, 0, 0, 0), 24}, pods{ip(10, 244, 0, 0), 16};
  static constexpr uint32_t first_slot = 0;  // of frontends, backends and pools
  static constexpr uint8_t icmp = kProtocolIcmp;
};
template <>
struct Names<Ipv6> {
  static inline const AnyAddress up = ip6("2001:db8:a::1"), down = ip6("2001:db8:b::ffff"),
                                 client = ip6("2001:db8:a::77"), vip = ip6("fd00::1"),
                                 pod = ip6("2001:db8:b::1"), other_pod = ip6("2001:db8:b::2"),
                                 far = ip6("2001:db8:a::99"), nowhere = ip6("2001:db8:ffff::8");
  static inline const Network clients{ip6("2001:db8:a::"), 64}, pods{ip6("2001:db8:b::"), 64};
  static constexpr uint32_t first_slot = 16;
  static constexpr uint8_t icmp = kProtocolIcmpv6;
};

struct ProxyOptions {
  bool resolved = true;  // the next hops' MACs are known
  FrontendExtras extras{};
};

struct Proxy : World {
  using Options = ProxyOptions;

  // Slots of frontends, backends and pools, from Names::first_slot on.
  enum Service : uint32_t { tcp, udp, sctp, echo };
  static constexpr uint16_t kTcpPort = 80, kUdpPort = 53, kSctpPort = 9;
  static constexpr uint16_t kTcpTarget = 8080, kUdpTarget = 5353, kSctpTarget = 9000;

  explicit Proxy(const Options& options = {}, const Limits& limits_ = kSmall) : World(limits_) {
    add_interface(0);
    add_interface(1);
    Delta delta;
    add_family<Ipv4>(delta, options);
    add_family<Ipv6>(delta, options);
    commit(delta);
  }

  // The one frame that goes out by `interface` after `frame` has come in by the other.
  Bytes pass(uint16_t interface, const Bytes& frame) {
    poll(interface, {frame});
    auto out = sent(interface ^ 1);
    REQUIRE(out.size() == 1);
    return out[0];
  }
  // The drop that this frame meets; nothing is forwarded.
  void expect_drop(DropReason reason, const Bytes& frame, uint16_t interface = 0) {
    INFO(std::string(kDropReasonNames[static_cast<uint32_t>(reason)]));
    const uint64_t before = drops(reason);
    poll(interface, {frame});
    CHECK(drops(reason) == before + 1);
    CHECK(outside.sent[interface ^ 1].empty());
  }
  template <class F>
  FlowTable<F>& flows() {
    return context.flows<F>();
  }

 private:
  template <class F>
  void add_family(Delta& delta, const Options& options) {
    using N = Names<F>;
    constexpr uint32_t first = N::first_slot;
    delta.address(0, N::up, N::clients.length).address(1, N::down, N::pods.length);
    if (options.resolved) {
      delta.route(N::clients.prefix, N::clients.length, 0, kOnLink, {2, 1, 1, 1, 1, 1});
      delta.route(N::pods.prefix, N::pods.length, 1, kOnLink, {2, 2, 2, 2, 2, 2});
    } else {
      delta.route(N::clients.prefix, N::clients.length, 0);
      delta.route(N::pods.prefix, N::pods.length, 1);
    }
    const struct {
      uint16_t port, target;
      uint8_t protocol;
    } services[] = {{kTcpPort, kTcpTarget, kProtocolTcp},
                    {kUdpPort, kUdpTarget, kProtocolUdp},
                    {kSctpPort, kSctpTarget, kProtocolSctp},
                    {0, 0, N::icmp}};
    for (uint32_t i = 0; i < 4; i++) {
      FrontendExtras extras = options.extras;
      extras.service = first + i;
      delta.backend(first + i, N::pod, services[i].target, first + i);
      delta.pool(first + i, {{first + i}});
      delta.frontend(first + i, N::vip, services[i].port, services[i].protocol, first + i, extras);
    }
  }
};

template <class F>
Bytes syn(uint16_t port = 40000) {
  return tcp_frame(kIn, Names<F>::client, port, Names<F>::vip, Proxy::kTcpPort, kTcpSyn);
}
template <class F>
Bytes ask(uint16_t port = 40000, size_t data = 5) {
  return udp_frame(kIn, Names<F>::client, port, Names<F>::vip, Proxy::kUdpPort, data);
}

// A frame as the next hop gets it: one TTL less.
inline Bytes hopped(Bytes frame) {
  if (is_ipv4(frame)) {
    ip_of(frame).ttl--;
    write_ip_checksum(frame);
  } else {
    ip6_of(frame).hop_limit--;
  }
  return frame;
}

}  // namespace sluice
