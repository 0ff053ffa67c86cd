// SPDX-License-Identifier: Apache-2.0
#include "stage/pipeline.h"

#include "testing/world.h"

namespace sluice {
namespace {

constexpr uint32_t kUp = ip(10, 0, 0, 1), kPods = ip(10, 244, 0, 254);
constexpr uint32_t kClient = ip(10, 0, 0, 77), kVip = ip(10, 96, 0, 1), kPod = ip(10, 244, 0, 1);
constexpr Mac kClientMac = {2, 1, 1, 1, 1, 1}, kPodMac = {2, 2, 2, 2, 2, 2};
constexpr uint8_t kTcp = kProtocolTcp, kUdp = kProtocolUdp;

const Stations kIn{kClientMac, World::mac(0)};  // client to us
const Stations kBack{kPodMac, World::mac(1)};   // pod to us

// Interface 0 towards clients, 1 towards pods; next hops known where `resolved`.
struct Proxy : World {
  explicit Proxy(bool resolved = true, const Limits& limits_ = kSmall) : World(limits_) {
    add_interface(0);
    add_interface(1);
    const Mac client = resolved ? kClientMac : Mac{}, pod = resolved ? kPodMac : Mac{};
    Delta delta;
    delta.address(0, kUp, 24).address(1, kPods, 16);
    delta.route(ip(10, 0, 0, 0), 24, 0).route(ip(10, 244, 0, 0), 16, 1);
    std::copy(client.begin(), client.end(), delta.routes.mac.begin());
    std::copy(pod.begin(), pod.end(), delta.routes.mac.begin() + 6);
    delta.frontend(0, kVip, 80, kTcp, 0).frontend(1, kVip, 53, kUdp, 1);
    delta.pool(0, {{0, kPod, 8080}}).pool(1, {{1, kPod, 5353}});
    commit(delta);
  }
  // The drop that this frame meets.
  void expect_drop(DropReason reason, const Bytes& frame, uint16_t interface = 0) {
    INFO(kDropReasonNames[static_cast<uint32_t>(reason)]);
    const uint64_t before = drops(reason);
    poll(interface, {frame});
    CHECK(drops(reason) == before + 1);
    CHECK(sent(0).empty());
    CHECK(sent(1).empty());
  }
};

Bytes syn(uint16_t port = 40000) { return tcp_frame(kIn, kClient, port, kVip, 80, kTcpSyn); }
Bytes pod_reply(uint8_t flags, uint16_t port = 40000) {
  return tcp_frame(kBack, kPod, 8080, kClient, port, flags);
}

}  // namespace

TEST_CASE("a connection is translated there and back, and its checksums hold") {
  for (uint8_t protocol : {kTcp, kUdp}) {
    Proxy proxy;
    const bool tcp = protocol == kTcp;
    const uint16_t service = tcp ? 80 : 53, backend = tcp ? 8080 : 5353;
    Bytes request = tcp ? syn() : udp_frame(kIn, kClient, 40000, kVip, service);
    for (int i = 0; i < 3; i++) {
      proxy.poll(0, {request});
      auto out = proxy.sent(1);
      REQUIRE(out.size() == 1);
      Bytes expected =
          tcp ? tcp_frame({World::mac(1), kPodMac}, kClient, 40000, kPod, backend, kTcpSyn)
              : udp_frame({World::mac(1), kPodMac}, kClient, 40000, kPod, backend);
      ip_of(expected).ttl = 63;
      write_checksums(expected);
      CHECK(out[0] == expected);
      CHECK(checksums_hold(out[0]));
    }
    Bytes answer =
        tcp ? pod_reply(kTcpSyn | kTcpAck) : udp_frame(kBack, kPod, backend, kClient, 40000);
    proxy.poll(1, {answer});
    auto out = proxy.sent(0);
    REQUIRE(out.size() == 1);
    CHECK(checksums_hold(out[0]));
    CHECK(ip_of(out[0]).source == be32::from_host(kVip));
    CHECK(ip_of(out[0]).destination == be32::from_host(kClient));
    CHECK(l4_of<UdpHeader>(out[0]).source_port.host() == service);
    CHECK(std::equal(kClientMac.begin(), kClientMac.end(), out[0].begin()));

    CHECK(proxy.flows.used() == 1);
    CHECK(proxy.flows.state(0) == FlowState::established);
    CHECK(proxy.flows.entry(0).packets == 3);
    CHECK(proxy.flows.entry(0).bytes == 3 * (request.size() - 14));
    CHECK(proxy.flows.entry(1).packets == 1);
    CHECK(proxy.counter(WorkerCounter::flowsCreated) == 1);
    CHECK(proxy.counters[proxy.layout.backends + (tcp ? 0 : 1)] == 1);
    CHECK(proxy.counter(WorkerCounter::forwarded) == 4);
    CHECK(proxy.counter(0, InterfaceCounter::rx_packets) == 3);
    CHECK(proxy.counter(0, InterfaceCounter::tx_bytes) == answer.size());
  }
}

TEST_CASE("packets of one burst share the flow that the first one makes") {
  Proxy proxy;
  proxy.poll(0, {syn(), syn(), syn(40001)});
  CHECK(proxy.flows.used() == 2);
  CHECK(proxy.flows.entry(0).packets == 2);
  CHECK(proxy.sent(1).size() == 3);
}

TEST_CASE("a UDP checksum of zero stays zero") {
  Proxy proxy;
  Bytes request = udp_frame(kIn, kClient, 40000, kVip, 53);
  l4_of<UdpHeader>(request).checksum = {};
  proxy.poll(0, {request});
  auto out = proxy.sent(1);
  REQUIRE(out.size() == 1);
  CHECK(l4_of<UdpHeader>(out[0]).checksum.raw == 0);
}

TEST_CASE("a UDP checksum that comes out as zero becomes all ones") {
  Proxy proxy;
  bool seen = false;
  for (uint32_t word = 0; word < 65536 && !seen; word += 1) {
    Bytes request = udp_frame(kIn, kClient, 40000, kVip, 53);
    request[42] = static_cast<uint8_t>(word >> 8);
    request[43] = static_cast<uint8_t>(word);
    Bytes translated = request;
    ip_of(translated).destination = be32::from_host(kPod);
    l4_of<UdpHeader>(translated).destination_port = be16::from_host(5353);
    if (l4_checksum(translated).raw != 0xffff) continue;
    seen = true;
    write_checksums(request);
    proxy.poll(0, {request});
    auto out = proxy.sent(1);
    REQUIRE(out.size() == 1);
    CHECK(l4_of<UdpHeader>(out[0]).checksum.raw == 0xffff);
  }
  CHECK(seen);
}

TEST_CASE("parse: what is malformed, and what is not for us") {
  Proxy proxy;
  auto changed = [](Bytes frame, auto&& change) {
    change(frame);
    write_ip_checksum(frame);
    return frame;
  };
  proxy.expect_drop(DropReason::malformed_ethernet, Bytes(13));
  proxy.expect_drop(DropReason::malformed_ethernet, Bytes());
  Bytes ipv6 = syn();
  ethernet_of(ipv6).type = be16::from_host(0x86dd);
  proxy.expect_drop(DropReason::unsupported_ethertype, ipv6);
  proxy.expect_drop(DropReason::l2_broadcast,
                    tcp_frame({kClientMac, kBroadcast}, kClient, 1, kVip, 80, kTcpSyn));
  proxy.expect_drop(DropReason::mac_not_ours,
                    tcp_frame({kClientMac, kPodMac}, kClient, 1, kVip, 80, kTcpSyn));
  proxy.expect_drop(DropReason::mac_not_ours,
                    arp_frame({kClientMac, kPodMac}, kArpRequest, kClient, kUp));
  Bytes cut = syn();
  cut.resize(14 + 19);
  proxy.expect_drop(DropReason::malformed_ipv4, cut);
  proxy.expect_drop(DropReason::malformed_ipv4,
                    changed(syn(), [](Bytes& f) { ip_of(f).version_ihl = 0x65; }));
  proxy.expect_drop(DropReason::malformed_ipv4, [] {
    Bytes f = syn();
    ip_of(f).version_ihl = 0x44;
    return f;
  }());
  proxy.expect_drop(DropReason::malformed_ipv4, [] {
    Bytes f = syn();
    ip_of(f).total_length = be16::from_host(19);
    return f;
  }());
  Bytes longer = syn();
  ip_of(longer).total_length = be16::from_host(static_cast<uint16_t>(longer.size() - 13));
  proxy.expect_drop(DropReason::malformed_ipv4, longer);
  Bytes corrupt = syn();
  ip_of(corrupt).ttl--;
  proxy.expect_drop(DropReason::bad_ipv4_checksum, corrupt);
  for (uint32_t source : {ip(0, 1, 2, 3), ip(127, 0, 0, 1), ip(224, 0, 0, 1), ip(240, 0, 0, 1),
                          ip(255, 255, 255, 255), kUp, kPods}) {
    proxy.expect_drop(DropReason::martian_source, tcp_frame(kIn, source, 1, kVip, 80, kTcpSyn));
  }
  for (uint32_t to : {ip(0, 0, 0, 0), ip(127, 0, 0, 1), ip(239, 1, 1, 1), ip(255, 255, 255, 255)}) {
    proxy.expect_drop(DropReason::martian_destination, udp_frame(kIn, kClient, 1, to, 80));
  }
  for (uint16_t fragment : {0x2000, 0x0001, 0x1fff}) {
    proxy.expect_drop(DropReason::fragment, changed(syn(), [&](Bytes& f) {
                        ip_of(f).flags_fragment = be16::from_host(fragment);
                      }));
  }
  for (uint8_t offset : {0, 4, 7}) {  // 7 words are one byte more than there are
    proxy.expect_drop(DropReason::malformed_l4, [&] {
      Bytes f = syn();
      l4_of<TcpHeader>(f).data_offset = static_cast<uint8_t>(offset << 4);
      return f;
    }());
  }
  for (uint16_t length : {7, 14}) {
    Bytes f = udp_frame(kIn, kClient, 1, kVip, 53);
    l4_of<UdpHeader>(f).length = be16::from_host(length);
    proxy.expect_drop(DropReason::malformed_l4, f);
  }
  for (auto [protocol, size] : {std::pair<uint8_t, size_t>{kTcp, 19}, {kUdp, 7}, {1, 7}}) {
    Bytes f = ipv4_frame(kIn, kClient, kVip, protocol, Bytes(size));
    write_ip_checksum(f);
    proxy.expect_drop(DropReason::malformed_l4, f);
  }
  CHECK(proxy.flows.used() == 0);
}

TEST_CASE("Ethernet padding is cut off for good") {
  Proxy proxy;
  Bytes padded = syn();
  const size_t length = padded.size();
  padded.resize(length + 13, 0xee);
  proxy.poll(0, {padded});
  const auto out = proxy.sent(1);
  REQUIRE(out.size() == 1);
  CHECK(out[0].size() == length);
  CHECK(proxy.counter(0, InterfaceCounter::rx_bytes) == length + 13);
}

TEST_CASE("services: unknown ports, no backend, no flow, hairpin, collision, full table") {
  Proxy proxy(
      true,
      {.flows = 2, .backends = 8, .interfaces = 2, .neighbours = 8, .routes = 8, .timeouts = {}});
  proxy.expect_drop(DropReason::service_port_unknown,
                    tcp_frame(kIn, kClient, 1, kVip, 81, kTcpSyn));
  proxy.expect_drop(DropReason::service_port_unknown, udp_frame(kIn, kClient, 1, kVip, 80));
  proxy.expect_drop(DropReason::service_port_unknown, echo_frame(kIn, kClient, kVip));
  proxy.expect_drop(DropReason::tcp_no_flow, tcp_frame(kIn, kClient, 1, kVip, 80, kTcpRst));
  proxy.expect_drop(DropReason::tcp_no_flow,
                    tcp_frame(kIn, kClient, 1, kVip, 80, kTcpFin | kTcpAck));
  proxy.expect_drop(DropReason::hairpin, tcp_frame(kBack, kPod, 9, kVip, 80, kTcpSyn), 1);

  Delta second;
  second.frontend(2, ip(10, 96, 0, 2), 80, kTcp, 2).pool(2, {{2, kPod, 8080}});
  second.frontend(3, ip(10, 96, 0, 3), 80, kTcp, 3).pool(3, {{3, kPod, 8080, 0}});
  proxy.commit(second);
  proxy.expect_drop(DropReason::no_backend,
                    tcp_frame(kIn, kClient, 1, ip(10, 96, 0, 3), 80, kTcpSyn));
  proxy.poll(0, {syn(1)});
  CHECK(proxy.sent(1).size() == 1);
  proxy.expect_drop(DropReason::flow_collision,
                    tcp_frame(kIn, kClient, 1, ip(10, 96, 0, 2), 80, kTcpSyn));
  proxy.poll(0, {syn(2)});
  CHECK(proxy.sent(1).size() == 1);
  proxy.expect_drop(DropReason::flow_table_full, syn(3));
  proxy.at(1'000'000 + 60'000);
  proxy.idle();  // both have expired and are swept
  CHECK(proxy.counter(WorkerCounter::flowsExpired) == 2);
  proxy.poll(0, {tcp_frame(kIn, kClient, 1, ip(10, 96, 0, 2), 80, kTcpSyn)});
  CHECK(proxy.sent(1).size() == 1);
}

TEST_CASE("a flow that has expired is a miss, and its reply's tuple is free") {
  Proxy proxy;
  proxy.poll(0, {udp_frame(kIn, kClient, 7, kVip, 53)});
  proxy.at(proxy.context.now_ms + 30'000);
  proxy.context.flow_cache.sweep_next = 100;  // the sweep is elsewhere
  proxy.poll(1, {udp_frame(kBack, kPod, 5353, kClient, 7)});
  CHECK(proxy.counter(WorkerCounter::flowsExpired) == 1);
  CHECK(proxy.flows.used() == 0);
  auto out = proxy.sent(0);
  REQUIRE(out.size() == 1);
  CHECK(ip_of(out[0]).source == be32::from_host(kPod));  // plain routing
}

TEST_CASE("when the backend goes, UDP and new connections move on, others keep it") {
  Proxy proxy;
  const uint32_t other = ip(10, 244, 0, 2);
  proxy.poll(0, {syn(1), syn(2), udp_frame(kIn, kClient, 3, kVip, 53)});
  proxy.sent(1);
  proxy.commit(Delta().pool(0, {{5, other, 8080}}).pool(1, {{6, other, 5353}}));
  proxy.poll(0, {tcp_frame(kIn, kClient, 1, kVip, 80, kTcpAck), syn(2),
                 udp_frame(kIn, kClient, 3, kVip, 53)});
  auto out = proxy.sent(1);
  REQUIRE(out.size() == 3);
  CHECK(ip_of(out[0]).destination == be32::from_host(kPod));
  CHECK(ip_of(out[1]).destination == be32::from_host(other));
  CHECK(ip_of(out[2]).destination == be32::from_host(other));
  CHECK(proxy.flows.used() == 3);
  CHECK(proxy.counter(WorkerCounter::flowsExpired) == 0);
}

TEST_CASE("a SYN on the tuple of a closed connection begins anew") {
  Proxy proxy;
  proxy.poll(0, {syn()});
  proxy.poll(1, {pod_reply(kTcpRst)});
  CHECK(proxy.flows.state(0) == FlowState::closed);
  proxy.poll(0, {tcp_frame(kIn, kClient, 40000, kVip, 80, kTcpAck)});
  CHECK(proxy.counter(WorkerCounter::flowsCreated) == 1);
  proxy.poll(0, {syn()});
  CHECK(proxy.counter(WorkerCounter::flowsCreated) == 2);
  CHECK(proxy.flows.used() == 1);
}

TEST_CASE("ICMP echo to us is answered in place; other packets to us are not for the host") {
  Proxy proxy;
  Bytes request = echo_frame(kIn, kClient, kPods);
  proxy.poll(0, {request});
  auto out = proxy.sent(0);
  REQUIRE(out.size() == 1);
  Bytes expected = echo_frame({World::mac(0), kClientMac}, kPods, kClient);
  l4_of<IcmpHeader>(expected).type = kIcmpEchoReply;
  write_checksums(expected);
  CHECK(out[0] == expected);
  CHECK(proxy.counter(WorkerCounter::answered) == 1);
  proxy.expect_drop(DropReason::not_for_host, tcp_frame(kIn, kClient, 1, kUp, 80, kTcpSyn));
  Bytes reply = echo_frame(kIn, kClient, kUp);
  l4_of<IcmpHeader>(reply).type = kIcmpEchoReply;
  proxy.expect_drop(DropReason::not_for_host, reply);
}

TEST_CASE("routing: TTL, no route, link down, MTU") {
  Proxy proxy;
  for (uint8_t ttl : {0, 1}) {
    Bytes frame = udp_frame(kIn, kClient, 1, kPod, 2);
    ip_of(frame).ttl = ttl;
    write_ip_checksum(frame);
    proxy.expect_drop(DropReason::ttl_expired, frame);
  }
  proxy.expect_drop(DropReason::no_route, udp_frame(kIn, kClient, 1, ip(8, 8, 8, 8), 2));
  proxy.up[1] = false;
  proxy.expect_drop(DropReason::interface_down, udp_frame(kIn, kClient, 1, kPod, 2));
  proxy.up[1] = true;
  Bytes fits = ipv4_frame(kIn, kClient, kPod, 99, Bytes(1480)), exceeds = fits;
  exceeds.push_back(0);
  ip_of(exceeds).total_length = be16::from_host(1501);
  write_ip_checksum(fits);
  write_ip_checksum(exceeds);
  proxy.expect_drop(DropReason::mtu_exceeded, exceeds);
  proxy.poll(0, {fits});
  auto out = proxy.sent(1);
  REQUIRE(out.size() == 1);
  CHECK(ip_of(out[0]).ttl == 63);
  CHECK(full_checksum(&out[0][14], 20).raw == 0);
  CHECK(proxy.flows.used() == 0);
}

TEST_CASE("tx: what the interface does not take is dropped, the rest keeps its order") {
  Proxy proxy;
  proxy.outside.room = 2;
  proxy.poll(0, {syn(1), syn(2), syn(3)});
  CHECK(proxy.drops(DropReason::tx_full) == 1);
  CHECK(proxy.counter(WorkerCounter::forwarded) == 2);
  CHECK(proxy.counter(1, InterfaceCounter::tx_packets) == 2);
  auto out = proxy.sent(1);
  CHECK(l4_of<TcpHeader>(out[0]).source_port.host() == 1);
  CHECK(l4_of<TcpHeader>(out[1]).source_port.host() == 2);
}

TEST_CASE("tx: what went to another worker counts there") {
  Proxy proxy;
  proxy.outside.hands_over = true;
  proxy.poll(0, {syn(1), syn(2)});
  CHECK(proxy.counter(WorkerCounter::handedOut) == 2);
  CHECK(proxy.counter(WorkerCounter::forwarded) == 0);
  CHECK(proxy.counter(1, InterfaceCounter::tx_packets) == 0);
}

TEST_CASE("a packet from an interface that is gone is dropped") {
  Proxy proxy;
  proxy.remove_interface(0);
  proxy.expect_drop(DropReason::interface_removed, syn());
  proxy.expect_drop(DropReason::no_route, udp_frame(kBack, kPod, 1, kClient, 1), 1);
}

}  // namespace sluice
