// SPDX-License-Identifier: Apache-2.0
// ICMP errors about packets of flows, from endpoints and from routers in between.
#include "stage/related.h"

#include "testing/proxy.h"

namespace sluice {
namespace {

// A packet of each protocol from the client, and of what it has to look like in an error.
template <class F>
std::vector<Bytes> requests() {
  using N = Names<F>;
  return {tcp_frame(kIn, N::client, 40000, N::vip, Proxy::kTcpPort, kTcpSyn),
          udp_frame(kIn, N::client, 40000, N::vip, Proxy::kUdpPort),
          sctp_frame(kIn, N::client, 40000, N::vip, Proxy::kSctpPort, kSctpInit),
          echo_frame(kIn, N::client, N::vip, 40000)};
}

// Of SCTP's checksum, which is not translated back, nothing is said.
Bytes without_sctp_checksum(Bytes frame) {
  if (l4_place(frame).protocol == kProtocolSctp) l4_of<SctpHeader>(frame).checksum = {};
  return frame;
}

// The packet that comes back in an error is the one that went out; its TTL excepted.
void check_quote(const Bytes& error, const Bytes& original) {
  CHECK(checksums_hold(error));
  Bytes quoted = without_sctp_checksum(quoted_in(error));
  Bytes expected = without_sctp_checksum(hopped(original));
  std::copy(expected.begin(), expected.begin() + 14, quoted.begin());
  CHECK(quoted == expected);
}

ProxyOptions masquerading() {
  ProxyOptions options;
  options.extras.masquerade = 1 << static_cast<int>(Scope::outside);
  return options;
}

}  // namespace

TEST_CASE_TEMPLATE("an error from the pod is the service's", F, Ipv4, Ipv6) {
  using N = Names<F>;
  for (const Bytes& request : requests<F>()) {
    for (bool masquerade : {false, true}) {
      Proxy proxy(masquerade ? masquerading() : ProxyOptions{});
      const Bytes out = proxy.pass(0, request);
      const uint64_t packets = proxy.flows<F>().entry(1).packets;
      const AnyAddress to = masquerade ? N::down : N::client;
      Bytes error = proxy.pass(1, error_frame(kBack, N::pod, to, out));
      CHECK(source_of(error) == N::vip);
      CHECK(destination_of(error) == N::client);
      check_quote(error, request);
      CHECK(proxy.counter(WorkerCounter::related) == 1);
      CHECK(proxy.flows<F>().entry(1).packets == packets);
    }
  }
}

TEST_CASE_TEMPLATE("an error from a router between keeps its source", F, Ipv4, Ipv6) {
  using N = Names<F>;
  for (const Bytes& request : requests<F>()) {
    Proxy proxy(masquerading());
    const Bytes out = proxy.pass(0, request);
    Bytes error = proxy.pass(1, error_frame(kBack, N::other_pod, N::down, out));
    CHECK(source_of(error) == N::other_pod);
    CHECK(destination_of(error) == N::client);
    check_quote(error, request);
  }
}

TEST_CASE_TEMPLATE("an error about a reply goes to the pod", F, Ipv4, Ipv6) {
  using N = Names<F>;
  Proxy proxy(masquerading());
  const Bytes out = proxy.pass(0, ask<F>(4000));
  const Bytes reply = udp_frame(kBack, N::pod, Proxy::kUdpTarget, N::down, 4000);
  const Bytes reply_out = proxy.pass(1, reply);
  Bytes error = proxy.pass(0, error_frame(kIn, N::client, N::vip, reply_out));
  CHECK(source_of(error) == N::down);
  CHECK(destination_of(error) == N::pod);
  check_quote(error, reply);
}

TEST_CASE_TEMPLATE("quotes cut short", F, Ipv4, Ipv6) {
  using N = Names<F>;
  const size_t header = sizeof(typename Wire<F>::Header);
  Proxy proxy;
  const Bytes out = proxy.pass(0, syn<F>());
  for (size_t length = 0; length < header + 20; length++) {
    proxy.poll(1, {error_frame(kBack, N::pod, N::client, out, length)});
    for (Bytes& error : proxy.sent(0)) CHECK(checksums_hold(error));
    const uint64_t expected = length < header + 8 ? 0 : length - header - 7;
    CHECK(proxy.counter(WorkerCounter::related) == expected);
  }
}

TEST_CASE_TEMPLATE("what belongs to no flow", F, Ipv4, Ipv6) {
  using N = Names<F>;
  Proxy proxy;
  const Bytes out = proxy.pass(0, ask<F>(4000));
  // Not to the one who sent the packet, about another connection, about an error.
  const Bytes strangers[] = {
      error_frame(kBack, N::pod, N::far, out),
      error_frame(kBack, N::pod, N::client,
                  udp_frame(kToPod, N::client, 4001, N::pod, Proxy::kUdpTarget)),
      error_frame(kBack, N::pod, N::client, error_frame(kToPod, N::client, N::pod, out)),
      error_frame(kBack, N::pod, N::client, ip_frame(kToPod, N::client, N::pod, 99, Bytes(20)))};
  for (const Bytes& stranger : strangers) {
    CHECK(proxy.pass(1, stranger) == hopped([&] {
            Bytes plain = stranger;  // plain routing
            std::memcpy(plain.data(), kClientMac.data(), 6);
            std::memcpy(&plain[6], World::mac(0).data(), 6);
            return plain;
          }()));
  }
  proxy.at(proxy.context.now_ms + 30'000);
  proxy.has_swept();
  proxy.pass(1, error_frame(kBack, N::pod, N::client, out));  // the flow has expired
  CHECK(proxy.flows<F>().used() == 1);                        // and stays for the sweep
  CHECK(proxy.counter(WorkerCounter::related) == 0);
}

TEST_CASE("IPv6: quotes with extension headers, and of fragments") {
  using N = Names<Ipv6>;
  Proxy proxy;
  proxy.pass(0, ask<Ipv6>(4000, 40));
  const Bytes sent = udp_frame(kToPod, N::client, 4000, N::pod, Proxy::kUdpTarget, 40);
  const auto pieces = fragments_of(sent, 16);
  proxy.pass(1, error_frame(kBack, N::pod, N::client, pieces[0]));
  CHECK(proxy.counter(WorkerCounter::related) == 1);
  proxy.pass(1, error_frame(kBack, N::pod, N::client, pieces[1]));
  CHECK(proxy.counter(WorkerCounter::related) == 1);
  Bytes routed = ip_frame(kToPod, N::client, N::pod, kProtocolRouting,
                          {kProtocolUdp, 0, 0, 1, 0, 0, 0, 0, 0x0f, 0xa0, 0x14, 0xe9, 0, 8, 0, 0});
  proxy.pass(1, error_frame(kBack, N::pod, N::client, routed));
  CHECK(proxy.counter(WorkerCounter::related) == 1);
  routed[57] = 0;  // no segments left
  proxy.pass(1, error_frame(kBack, N::pod, N::client, routed));
  CHECK(proxy.counter(WorkerCounter::related) == 2);
}

}  // namespace sluice
