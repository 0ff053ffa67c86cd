// SPDX-License-Identifier: Apache-2.0
#include "stage/pipeline.h"

#include "testing/proxy.h"

namespace sluice {
namespace {

using Service = Proxy::Service;

// The packets of one connection, as they come in and as they have to go out.
struct Exchange {
  Bytes request, request_out, reply, reply_out;
};

template <class F>
Exchange exchange(Service service) {
  using N = Names<F>;
  constexpr uint16_t kPort = 40000;
  switch (service) {
    case Service::tcp:
      return {tcp_frame(kIn, N::client, kPort, N::vip, Proxy::kTcpPort, kTcpSyn),
              tcp_frame(kToPod, N::client, kPort, N::pod, Proxy::kTcpTarget, kTcpSyn),
              tcp_frame(kBack, N::pod, Proxy::kTcpTarget, N::client, kPort, kTcpSyn | kTcpAck),
              tcp_frame(kToClient, N::vip, Proxy::kTcpPort, N::client, kPort, kTcpSyn | kTcpAck)};
    case Service::udp:
      return {udp_frame(kIn, N::client, kPort, N::vip, Proxy::kUdpPort),
              udp_frame(kToPod, N::client, kPort, N::pod, Proxy::kUdpTarget),
              udp_frame(kBack, N::pod, Proxy::kUdpTarget, N::client, kPort),
              udp_frame(kToClient, N::vip, Proxy::kUdpPort, N::client, kPort)};
    case Service::sctp:
      return {sctp_frame(kIn, N::client, kPort, N::vip, Proxy::kSctpPort, kSctpInit),
              sctp_frame(kToPod, N::client, kPort, N::pod, Proxy::kSctpTarget, kSctpInit),
              sctp_frame(kBack, N::pod, Proxy::kSctpTarget, N::client, kPort, 2),
              sctp_frame(kToClient, N::vip, Proxy::kSctpPort, N::client, kPort, 2)};
    case Service::echo:
      break;
  }
  return {echo_frame(kIn, N::client, N::vip, 77), echo_frame(kToPod, N::client, N::pod, 77),
          echo_frame(kBack, N::pod, N::client, 77, true),
          echo_frame(kToClient, N::vip, N::client, 77, true)};
}

}  // namespace

TEST_CASE_TEMPLATE("connections are translated there and back, byte for byte", F, Ipv4, Ipv6) {
  for (Service service : {Service::tcp, Service::udp, Service::sctp, Service::echo}) {
    CAPTURE(service);
    Proxy proxy;
    const Exchange frames = exchange<F>(service);
    for (int i = 0; i < 3; i++) CHECK(proxy.pass(0, frames.request) == hopped(frames.request_out));
    CHECK(proxy.pass(1, frames.reply) == hopped(frames.reply_out));

    FlowTable<F>& flows = proxy.flows<F>();
    CHECK(flows.used() == 1);
    CHECK(flows.entry(0).packets == 3);
    CHECK(flows.entry(0).bytes == 3 * (frames.request.size() - 14));
    CHECK(flows.entry(1).packets == 1);
    CHECK(proxy.counter(WorkerCounter::flowsCreated) == 1);
    CHECK(proxy.counters[proxy.layout.backends + Names<F>::first_slot + service] == 1);
    CHECK(proxy.counter(WorkerCounter::forwarded) == 4);
    CHECK(proxy.counter(0, InterfaceCounter::rx_packets) == 3);
    CHECK(proxy.counter(0, InterfaceCounter::tx_bytes) == frames.reply.size());
  }
}

TEST_CASE("IPv4 packets of a burst go first, both keep their order") {
  Proxy proxy;
  proxy.poll(0, {ask<Ipv6>(1), ask<Ipv4>(1), ask<Ipv6>(2), ask<Ipv4>(2)});
  auto out = proxy.sent(1);
  REQUIRE(out.size() == 4);
  CHECK_FALSE(is_ipv4(out[0]));
  CHECK(is_ipv4(out[1]));
  CHECK(proxy.flows4.used() == 2);
  CHECK(proxy.flows6.used() == 2);
}

TEST_CASE_TEMPLATE("packets of one burst share the flow that the first one makes", F, Ipv4, Ipv6) {
  Proxy proxy;
  proxy.poll(0, {syn<F>(), syn<F>(), syn<F>(40001)});
  CHECK(proxy.flows<F>().used() == 2);
  CHECK(proxy.flows<F>().entry(0).packets == 2);
  CHECK(proxy.sent(1).size() == 3);
}

TEST_CASE_TEMPLATE("a UDP checksum of zero stays zero", F, Ipv4, Ipv6) {
  Proxy proxy;
  Bytes request = ask<F>();
  l4_of<UdpHeader>(request).checksum = {};
  Bytes out = proxy.pass(0, request);
  CHECK(l4_of<UdpHeader>(out).checksum.raw == 0);
}

TEST_CASE_TEMPLATE("a UDP checksum that comes out as zero becomes all ones", F, Ipv4, Ipv6) {
  Proxy proxy;
  bool seen = false;
  for (uint32_t word = 0; word < 65536 && !seen; word++) {
    Bytes request = ask<F>();
    const uint32_t data = l4_place(request).offset + 8;
    request[data] = static_cast<uint8_t>(word >> 8);
    request[data + 1] = static_cast<uint8_t>(word);
    Bytes translated = udp_frame(kToPod, Names<F>::client, 40000, Names<F>::pod, 5353);
    std::copy(request.begin() + data, request.end(), translated.begin() + data);
    write_l4_checksum(translated);
    if (l4_of<UdpHeader>(translated).checksum.raw != 0xffff) continue;
    seen = true;
    write_checksums(request);
    CHECK(proxy.pass(0, request) == hopped(translated));
  }
  CHECK(seen);
}

TEST_CASE_TEMPLATE("Ethernet padding is cut off for good", F, Ipv4, Ipv6) {
  Proxy proxy;
  Bytes padded = syn<F>();
  const size_t length = padded.size();
  padded.resize(length + 13, 0xee);
  CHECK(proxy.pass(0, padded).size() == length);
  CHECK(proxy.counter(0, InterfaceCounter::rx_bytes) == length + 13);
}

TEST_CASE_TEMPLATE("echo to us is answered in place; other packets to us are not", F, Ipv4, Ipv6) {
  using N = Names<F>;
  Proxy proxy;
  Bytes request = echo_frame(kIn, N::client, N::down);
  if (is_ipv4(request)) {
    ip_of(request).ttl = 3;
    write_ip_checksum(request);
  } else {
    ip6_of(request).hop_limit = 3;
  }
  proxy.poll(0, {request});
  const auto out = proxy.sent(0);
  REQUIRE(out.size() == 1);
  CHECK(out[0] == echo_frame(kToClient, N::down, N::client, 1, true));
  CHECK(proxy.counter(WorkerCounter::answered) == 1);
  proxy.expect_drop(DropReason::not_for_host, tcp_frame(kIn, N::client, 1, N::up, 80, kTcpSyn));
  proxy.expect_drop(DropReason::not_for_host, echo_frame(kIn, N::client, N::up, 1, true));
  for (const Bytes& piece : fragments_of(request, 8)) {
    proxy.expect_drop(DropReason::not_for_host, piece);
  }
}

TEST_CASE_TEMPLATE("routing: TTL, no route, link down, MTU", F, Ipv4, Ipv6) {
  using N = Names<F>;
  Proxy proxy;
  for (uint8_t ttl : {0, 1}) {
    Bytes frame = udp_frame(kIn, N::client, 1, N::pod, 2);
    lifetime(*ip_header<F>(frame.data())) = ttl;
    write_ip_checksum(frame);
    proxy.expect_drop(DropReason::ttl_expired, frame);
  }
  proxy.expect_drop(DropReason::no_route, udp_frame(kIn, N::client, 1, N::nowhere, 2));
  proxy.up[1] = false;
  proxy.expect_drop(DropReason::interface_down, udp_frame(kIn, N::client, 1, N::pod, 2));
  proxy.up[1] = true;
  const size_t header = sizeof(*ip_header<F>(std::declval<uint8_t*>()));
  const Bytes fits = ip_frame(kIn, N::client, N::pod, 99, Bytes(1500 - header));
  proxy.expect_drop(DropReason::mtu_exceeded,
                    ip_frame(kIn, N::client, N::pod, 99, Bytes(1501 - header)));
  CHECK(proxy.pass(0, fits) ==
        hopped(ip_frame(kToPod, N::client, N::pod, 99, Bytes(1500 - header))));
  CHECK(proxy.flows<F>().used() == 0);
}

TEST_CASE("tx: what the interface does not take is dropped, the rest keeps its order") {
  Proxy proxy;
  proxy.outside.room = 2;
  proxy.poll(0, {syn<Ipv4>(1), syn<Ipv6>(2), syn<Ipv4>(3)});
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
  proxy.poll(0, {syn<Ipv4>(1), syn<Ipv6>(2)});
  CHECK(proxy.counter(WorkerCounter::handedOut) == 2);
  CHECK(proxy.counter(WorkerCounter::forwarded) == 0);
  CHECK(proxy.counter(1, InterfaceCounter::tx_packets) == 0);
}

TEST_CASE("a packet from an interface that is gone is dropped") {
  Proxy proxy;
  proxy.remove_interface(0);
  proxy.expect_drop(DropReason::interface_removed, syn<Ipv4>());
  proxy.expect_drop(DropReason::no_route,
                    udp_frame(kBack, Names<Ipv4>::pod, 1, Names<Ipv4>::client, 1), 1);
}

}  // namespace sluice
