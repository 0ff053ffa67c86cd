// SPDX-License-Identifier: Apache-2.0
// Tunnels on the path, where the contract suite does not reach: buffers without room, frames of our
// own that wait, and what a burst keeps.
#include "stage/decap.h"
#include "stage/mss.h"
#include "stage/outer_header.h"
#include "testing/proxy.h"

namespace sluice {
namespace {

constexpr uint16_t kTunnel = 2;

Tunnel tunnel_of(TunnelKind kind, const AnyAddress& local, const AnyAddress& remote) {
  Tunnel tunnel{.slot = kTunnel, .kind = kind, .vni = 7, .mtu = 1400};
  if (kind == TunnelKind::vxlan) tunnel.port = 4789;
  tunnel.local = local;
  tunnel.remote = remote;
  return tunnel;
}

// A proxy with a tunnel to the client's machine, and a network behind it.
template <class F>
struct Tunnelled : Proxy {
  using N = Names<F>;
  static inline const Network behind =
      F::kVersion == 4 ? Network{ip(10, 50, 0, 0), 16} : Network{ip6("fd50::"), 64};
  static inline const AnyAddress host =
      F::kVersion == 4 ? AnyAddress(ip(10, 50, 0, 5)) : AnyAddress(ip6("fd50::5"));

  explicit Tunnelled(TunnelKind kind, bool resolved = true) : Proxy(options(resolved)) {
    add_tunnel(tunnel_of(kind, N::up, N::client));
    commit(Delta().route(behind.prefix, behind.length, kTunnel, kOnLink, {2, 0, 0, 0, 0, 0}));
  }
  static ProxyOptions options(bool resolved) {
    ProxyOptions made;
    made.resolved = resolved;
    return made;
  }
  Bytes outwards() const { return udp_frame(kBack, N::pod, 9, host, 10); }
  // A frame, as it comes for the tunnel.
  Bytes wrapped(const Bytes& inside) const {
    Tunnel theirs = *snapshot->interfaces[kTunnel].tunnel;
    std::swap(theirs.local, theirs.remote);
    constexpr uint32_t room = kOuterRoom;
    Bytes buffer(room + inside.size());
    std::copy(inside.begin(), inside.end(), buffer.begin() + room);
    Frame frame{nullptr, &buffer[room], static_cast<uint32_t>(inside.size())};
    write_outer(frame, theirs, make_outer_header(theirs), 0);
    Bytes out(frame.data, frame.data + frame.length);
    std::copy_n(mac(0).begin(), 6, out.begin());
    std::copy_n(kClientMac.begin(), 6, out.begin() + 6);
    return out;
  }
  Bytes inwards(const AnyAddress& to) const {
    return udp_frame({kClientMac, mac(kTunnel)}, host, 10, to, 9);
  }
};

}  // namespace

TEST_CASE_TEMPLATE("what is put in comes out again as it was", F, Ipv4, Ipv6) {
  for (const TunnelKind kind : {TunnelKind::gre, TunnelKind::ipip, TunnelKind::vxlan}) {
    CAPTURE(static_cast<int>(kind));
    Tunnelled<F> world(kind);
    const Bytes inside = world.inwards(Names<F>::pod);
    world.poll(0, {world.wrapped(inside)});
    const auto out = world.sent(1);
    REQUIRE(out.size() == 1);
    const Bytes expected = hopped(inside);
    CHECK(std::equal(out[0].begin() + 14, out[0].end(), expected.begin() + 14, expected.end()));
    CHECK(world.counter(kTunnel, InterfaceCounter::rx_bytes) == inside.size());
  }
}

// What carries is a plain packet to the parser, and the shortcut takes plain packets of flows.
TEST_CASE_TEMPLATE("a malformed packet is not taken for one of a flow of the same five-tuple", F,
                   Ipv4, Ipv6) {
  Tunnelled<F> world(TunnelKind::vxlan);
  using N = Names<F>;
  world.commit(Delta()
                   .backend(60, N::pod, 9, 60)
                   .pool(60, {{60}})
                   .frontend(60, N::up, 4789, kProtocolUdp, 60,
                             {.kind = FrontendKind::node_port, .service = 60}));
  const uint32_t vxlan = (F::kVersion == 4 ? 34 : 54) + sizeof(UdpHeader);
  Bytes frame = world.wrapped(world.inwards(N::pod));
  frame[vxlan + 4] = 1;  // another VNI: the service's
  for (int round = 0; round < 3; round++) CHECK(world.pass(0, frame).size() == frame.size());
  CHECK(world.template flows<F>().used() == 1);
  frame[vxlan] = 0;
  world.expect_drop(DropReason::malformed_tunnel, frame);
}

TEST_CASE_TEMPLATE("a buffer without room in front", F, Ipv4, Ipv6) {
  Tunnelled<F> world(TunnelKind::gre);
  world.outside.no_headroom = true;
  world.expect_drop(DropReason::tx_full, world.outwards(), 1);
  CHECK(world.counter(kTunnel, InterfaceCounter::tx_packets) == 0);
}

TEST_CASE_TEMPLATE("a frame of our own waits for the way to the other end, without a fate", F, Ipv4,
                   Ipv6) {
  Tunnelled<F> world(TunnelKind::gre, false);
  // Nobody serves this port of a cluster address: a reset, by the tunnel.
  const Bytes asked =
      tcp_frame({kClientMac, World::mac(kTunnel)}, world.host, 5, Names<F>::vip, 81, kTcpSyn);
  world.poll(0, {world.wrapped(asked)});
  CHECK(world.drops(DropReason::service_port_unknown) == 1);
  CHECK(world.context.held.size() == 1);
  CHECK(world.context.held_own == 1);
  CHECK(world.counter(WorkerCounter::held) == 0);
  world.sent(0);
  SUBCASE("and leaves") {
    Neighbour* neighbour = world.neighbours.find_or_add(0, Names<F>::client);
    neighbour->learn(kClientMac.data(), world.context.now_ms);
    world.idle();
    CHECK(world.sent(0).size() == 1);
    CHECK(world.counter(WorkerCounter::forwarded) == 0);
  }
  SUBCASE("or is just gone") {
    world.at(world.context.now_ms + 3000);
    world.idle();
    CHECK(world.drops(DropReason::neighbour_unresolved) == 0);
  }
  SUBCASE("or goes with its interface") {
    world.remove_interface(0);
    CHECK(world.drops(DropReason::interface_removed) == 0);
  }
  CHECK(world.context.held.empty());
  CHECK(world.context.held_own == 0);
}

TEST_CASE("no more is looked up for the frames of a burst than once, and anew in the next") {
  Tunnelled<Ipv4> world(TunnelKind::ipip);
  world.poll(1, {world.outwards(), world.outwards()});
  CHECK(world.sent(0).size() == 2);
  // The way to the client has gone.
  world.commit(Delta().remove_route(Names<Ipv4>::clients.prefix, Names<Ipv4>::clients.length));
  world.expect_drop(DropReason::no_route, world.outwards(), 1);
}

TEST_CASE("an MSS at an odd place") {
  Bytes tcp(28, 0);
  auto& header = *header_at<TcpHeader>(tcp.data(), 0);
  header.data_offset = 7 << 4;
  tcp[20] = 1;
  tcp[21] = 2;
  tcp[22] = 4;
  tcp[23] = 0x05;
  tcp[24] = 0xb4;
  header.checksum = full_checksum(tcp.data(), tcp.size());
  clamp_mss(tcp.data(), 1300);
  CHECK((tcp[23] << 8 | tcp[24]) == 1300);
  CHECK(full_checksum(tcp.data(), tcp.size()).raw == 0);
}

}  // namespace sluice
