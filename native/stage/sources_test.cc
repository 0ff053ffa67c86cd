// SPDX-License-Identifier: Apache-2.0
// Who may send by an interface: sources of packets, and senders of ARP and neighbour discovery.
#include "packet/ipv6_address.h"
#include "testing/proxy.h"

namespace sluice {
namespace {

using V4 = Names<Ipv4>;
using V6 = Names<Ipv6>;

// Behind interface 1 there is the pod, and nobody else.
struct Guarded : Proxy {
  Guarded() : Proxy({.resolved = false}) {
    commit(Delta().source(1, {V4::pod, 32}).source(1, {V6::pod, 128}));
  }
  bool knows(const Address& address) const { return neighbours.find(1, address) != nullptr; }
};

const Stations kAll{kPodMac, kBroadcast};

}  // namespace

TEST_CASE_TEMPLATE("packets of any kind", F, Ipv4, Ipv6) {
  using N = Names<F>;
  Proxy proxy;
  auto from = [](const AnyAddress& source) {
    return std::vector<Bytes>{udp_frame(kBack, source, 1, N::client, 2, 5),
                              tcp_frame(kBack, source, 1, N::client, 80, kTcpSyn),
                              echo_frame(kBack, source, N::client),
                              ip_frame(kBack, source, N::client, 47, Bytes(16))};
  };
  for (const Bytes& frame : from(N::other_pod)) proxy.pass(1, frame);
  proxy.commit(Delta().source(1, {N::pod, F::kBits}));
  for (const Bytes& frame : from(N::pod)) proxy.pass(1, frame);
  for (const Bytes& frame : from(N::other_pod)) {
    proxy.expect_drop(DropReason::source_spoofed, frame, 1);
  }
  proxy.pass(0, udp_frame(kIn, N::far, 1, N::pod, 2, 5));  // the other interface has no sources
  // Of the other family there are none, so none may come.
  using Other = Names<std::conditional_t<F::kVersion == 4, Ipv6, Ipv4>>;
  proxy.expect_drop(DropReason::source_spoofed, udp_frame(kBack, Other::pod, 1, Other::client, 2),
                    1);
}

TEST_CASE("a martian is a martian first, and a spoofer before its destination is looked at") {
  Guarded proxy;
  proxy.expect_drop(DropReason::martian_source,
                    udp_frame(kBack, ip(127, 0, 0, 1), 1, V4::client, 2), 1);
  proxy.expect_drop(DropReason::source_spoofed,
                    udp_frame(kBack, V4::other_pod, 1, ip(127, 0, 0, 1), 2), 1);
  proxy.expect_drop(DropReason::source_spoofed, udp_frame(kBack, V6::other_pod, 1, ip6("::1"), 2),
                    1);
}

TEST_CASE("senders of ARP") {
  Guarded proxy;
  const uint32_t pod = ip(10, 244, 0, 1), other = ip(10, 244, 0, 2), down = ip(10, 244, 0, 254);
  proxy.expect_drop(DropReason::source_spoofed, arp_frame(kAll, kArpRequest, other, down), 1);
  proxy.expect_drop(DropReason::source_spoofed, arp_frame(kAll, kArpReply, other, down), 1);
  CHECK_FALSE(proxy.knows(V4::other_pod));
  proxy.poll(1, {arp_frame(kAll, kArpRequest, 0, down)});  // a probe (RFC 5227)
  CHECK(proxy.sent(1).size() == 1);
  proxy.poll(1, {arp_frame(kAll, kArpRequest, pod, down)});
  CHECK(proxy.sent(1).size() == 1);
  CHECK(proxy.knows(V4::pod));
  Bytes malformed = arp_frame(kAll, kArpRequest, other, down);
  arp_of(malformed).hardware_length = 8;
  proxy.expect_drop(DropReason::malformed_arp, malformed, 1);
}

TEST_CASE("senders of neighbour discovery") {
  Guarded proxy;
  auto ask = [](const Address& source, const Bytes& options) {
    return nd_frame({kPodMac, World::mac(1)}, source, solicited_node(V6::down),
                    kNeighbourSolicitation, V6::down, options);
  };
  const Bytes mac = link_address(kSourceLinkAddress, kPodMac);
  proxy.expect_drop(DropReason::source_spoofed, ask(V6::other_pod, mac), 1);
  CHECK_FALSE(proxy.knows(V6::other_pod));
  for (const auto& [source, options] :
       {std::pair{Address{}, Bytes()}, {ip6("fe80::5"), mac}, {Address{V6::pod}, mac}}) {
    proxy.poll(1, {ask(source, options)});
    CHECK(proxy.sent(1).size() == 1);
  }
  CHECK(proxy.knows(V6::pod));
}

}  // namespace sluice
