// SPDX-License-Identifier: Apache-2.0
// What parse refuses, and by which reason.
#include "stage/parse.h"

#include "testing/proxy.h"

namespace sluice {
namespace {

using V4 = Names<Ipv4>;
using V6 = Names<Ipv6>;

template <typename Change>
Bytes changed(Bytes frame, Change&& change, bool checksum = true) {
  change(frame);
  if (checksum) write_ip_checksum(frame);
  return frame;
}

// An IPv6 packet with extension headers in front of a UDP datagram.
Bytes extended(const Bytes& headers, uint8_t first, size_t data = 8) {
  Bytes payload = headers;
  const Bytes udp = udp_frame(kIn, V6::client, 1, V6::pod, 2, data);
  payload.insert(payload.end(), udp.begin() + 54, udp.end());
  return ip_frame(kIn, V6::client, V6::pod, first, payload);
}

}  // namespace

TEST_CASE("Ethernet") {
  Proxy proxy;
  proxy.expect_drop(DropReason::malformed_ethernet, Bytes(13));
  proxy.expect_drop(DropReason::malformed_ethernet, Bytes());
  proxy.expect_drop(DropReason::unsupported_ethertype, ethernet_frame(kIn, 0x8847, 60));
  const Stations all{kClientMac, kBroadcast}, others{kClientMac, kPodMac};
  for (const auto& [source, vip] : {std::pair{V4::client, V4::vip}, {V6::client, V6::vip}}) {
    proxy.expect_drop(DropReason::l2_broadcast, tcp_frame(all, source, 1, vip, 80, kTcpSyn));
    proxy.expect_drop(DropReason::mac_not_ours, tcp_frame(others, source, 1, vip, 80, kTcpSyn));
  }
  proxy.expect_drop(DropReason::mac_not_ours,
                    arp_frame(others, kArpRequest, ip(10, 0, 0, 77), ip(10, 0, 0, 1)));
}

TEST_CASE("the IPv4 header") {
  Proxy proxy;
  Bytes cut = syn<Ipv4>();
  cut.resize(14 + 19);
  proxy.expect_drop(DropReason::malformed_ipv4, cut);
  for (uint8_t first : {0x65, 0x44}) {
    proxy.expect_drop(DropReason::malformed_ipv4,
                      changed(
                          syn<Ipv4>(), [&](Bytes& f) { f[14] = first; }, false));
  }
  const auto beyond = static_cast<uint16_t>(syn<Ipv4>().size() - 13);
  for (uint16_t length : {uint16_t{19}, beyond}) {
    proxy.expect_drop(DropReason::malformed_ipv4, changed(syn<Ipv4>(), [&](Bytes& f) {
                        ip_of(f).total_length = be16::from_host(length);
                      }));
  }
  proxy.expect_drop(DropReason::bad_ipv4_checksum,
                    changed(
                        syn<Ipv4>(), [](Bytes& f) { ip_of(f).ttl--; }, false));
  for (uint32_t source : {ip(0, 1, 2, 3), ip(127, 0, 0, 1), ip(224, 0, 0, 1), ip(240, 0, 0, 1),
                          ip(255, 255, 255, 255), ip(10, 0, 0, 1), ip(10, 244, 0, 254)}) {
    proxy.expect_drop(DropReason::martian_source, tcp_frame(kIn, source, 1, V4::vip, 80, kTcpSyn));
  }
  for (uint32_t to : {ip(0, 0, 0, 0), ip(127, 0, 0, 1), ip(239, 1, 1, 1), ip(255, 255, 255, 255)}) {
    proxy.expect_drop(DropReason::martian_destination, udp_frame(kIn, V4::client, 1, to, 80));
  }
}

TEST_CASE("the IPv6 header") {
  Proxy proxy;
  Bytes cut = syn<Ipv6>();
  cut.resize(14 + 39);
  proxy.expect_drop(DropReason::malformed_ipv6, cut);
  proxy.expect_drop(DropReason::malformed_ipv6,
                    changed(syn<Ipv6>(), [](Bytes& f) { f[14] = 0x50; }));
  proxy.expect_drop(DropReason::malformed_ipv6, changed(syn<Ipv6>(), [](Bytes& f) {
                      ip6_of(f).payload_length =
                          be16::from_host(static_cast<uint16_t>(f.size() - 53));
                    }));
  for (const char* source : {"::", "::1", "ff02::1", "::ffff:10.0.0.1", "fe80::1"}) {
    proxy.expect_drop(DropReason::martian_source, [&] {
      Bytes f = syn<Ipv6>();
      ip6_of(f).source = ip6(source);
      return f;
    }());
  }
  proxy.expect_drop(DropReason::martian_source, tcp_frame(kIn, V6::down, 1, V6::vip, 80, kTcpSyn));
  for (const char* to : {"::", "::1", "ff0e::1", "::ffff:10.0.0.1", "fe80::1"}) {
    proxy.expect_drop(DropReason::martian_destination, [&] {
      Bytes f = syn<Ipv6>();
      ip6_of(f).destination = ip6(to);
      return f;
    }());
  }
}

TEST_CASE("our own packets come from interfaces of scope host alone") {
  Proxy proxy;
  proxy.commit(Delta().scope(0, 2));
  proxy.pass(0, tcp_frame(kIn, V4::down, 1, V4::vip, 80, kTcpSyn));
  proxy.pass(0, tcp_frame(kIn, V6::down, 1, V6::vip, 80, kTcpSyn));
  proxy.expect_drop(DropReason::martian_source, udp_frame(kBack, V4::up, 1, V4::client, 1), 1);
}

TEST_CASE("extension headers are walked, eight of them") {
  Proxy proxy;
  constexpr uint8_t kUdp = kProtocolUdp, kHop = 0, kOptions = 60, kRouting = 43, kAh = 51;
  const Bytes options{kUdp, 0, 1, 4, 0, 0, 0, 0};
  auto with = [&](uint8_t next, Bytes header) {
    header[0] = next;
    return header;
  };
  CHECK(proxy.pass(0, extended(options, kOptions)).size() > 0);
  CHECK(proxy.pass(0, extended(options, kHop)).size() > 0);
  CHECK(proxy.pass(0, extended({kUdp, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}, kAh)).size() > 0);
  CHECK(proxy.pass(0, extended({kUdp, 0, 0, 0, 0, 0, 0, 0}, kRouting)).size() > 0);
  proxy.expect_drop(DropReason::routing_header, extended({kUdp, 0, 0, 1, 0, 0, 0, 0}, kRouting));

  Bytes chain;
  for (int i = 0; i < 7; i++) {
    const Bytes header = with(kOptions, options);
    chain.insert(chain.end(), header.begin(), header.end());
  }
  chain.insert(chain.end(), options.begin(), options.end());
  CHECK(proxy.pass(0, extended(chain, kOptions)).size() > 0);
  const Bytes ninth = with(kOptions, options);
  chain.insert(chain.begin(), ninth.begin(), ninth.end());
  proxy.expect_drop(DropReason::malformed_ipv6, extended(chain, kOptions));

  Bytes late = with(kHop, options);
  late.insert(late.end(), options.begin(), options.end());
  proxy.expect_drop(DropReason::malformed_ipv6, extended(late, kOptions));
  proxy.expect_drop(DropReason::malformed_ipv6, extended({kUdp, 255, 0, 0, 0, 0, 0, 0}, kOptions));
  proxy.expect_drop(DropReason::malformed_ipv6,
                    ip_frame(kIn, V6::client, V6::pod, kOptions, Bytes(7)));
  // An atomic fragment is none, but there may be one fragment header only.
  CHECK(proxy.pass(0, extended({kUdp, 0, 0, 0, 0, 0, 0, 1}, kProtocolFragment)).size() > 0);
  Bytes twice{kProtocolFragment, 0, 0, 0, 0, 0, 0, 1, kUdp, 0, 0, 0, 0, 0, 0, 1};
  proxy.expect_drop(DropReason::malformed_ipv6, extended(twice, kProtocolFragment));
}

TEST_CASE_TEMPLATE("L4 headers", F, Ipv4, Ipv6) {
  using N = Names<F>;
  Proxy proxy;
  for (uint8_t offset : {0, 4, 7}) {  // 7 words are one byte more than there are
    Bytes frame = syn<F>();
    l4_of<TcpHeader>(frame).data_offset = static_cast<uint8_t>(offset << 4);
    proxy.expect_drop(DropReason::malformed_l4, frame);
  }
  for (uint16_t length : {7, 14}) {
    Bytes frame = ask<F>();
    l4_of<UdpHeader>(frame).length = be16::from_host(length);
    proxy.expect_drop(DropReason::malformed_l4, frame);
  }
  const std::pair<uint8_t, size_t> cut[] = {
      {kProtocolTcp, 19}, {kProtocolUdp, 7}, {kProtocolSctp, 15}, {N::icmp, 7}};
  for (auto [protocol, size] : cut) {
    for (size_t length = 0; length <= size; length++) {
      proxy.expect_drop(DropReason::malformed_l4,
                        ip_frame(kIn, N::client, N::vip, protocol, Bytes(length)));
    }
  }
  CHECK(proxy.flows<F>().used() == 0);
}

TEST_CASE_TEMPLATE("fragments that cannot be", F, Ipv4, Ipv6) {
  using N = Names<F>;
  Proxy proxy;
  const auto pieces = fragments_of(ask<F>(1, 40), 16);
  auto put = [&](Bytes frame, uint16_t offset, bool more, size_t data) {
    const size_t header = l4_place(frame).offset;
    frame.resize(header + data);
    if (is_ipv4(frame)) {
      ip_of(frame).flags_fragment =
          be16::from_host(static_cast<uint16_t>(offset / 8 | (more ? kIpv4MoreFragments : 0)));
      ip_of(frame).total_length = be16::from_host(static_cast<uint16_t>(frame.size() - 14));
      write_ip_checksum(frame);
    } else {
      header_at<FragmentHeader>(frame.data(), 54)->offset_flags =
          be16::from_host(static_cast<uint16_t>(offset | (more ? 1 : 0)));
      ip6_of(frame).payload_length = be16::from_host(static_cast<uint16_t>(frame.size() - 54));
    }
    return frame;
  };
  proxy.expect_drop(DropReason::malformed_fragment, put(pieces[0], 0, true, 0));
  proxy.expect_drop(DropReason::malformed_fragment, put(pieces[0], 0, true, 15));
  proxy.expect_drop(DropReason::malformed_fragment, put(pieces[0], 65'528, false, 8));
  proxy.poll(0, {put(pieces[0], 65'528, false, 7)});  // the last byte that there can be
  CHECK(proxy.counter(WorkerCounter::fragmentPackets) == 1);
  const Bytes error = error_frame(kIn, N::client, N::pod, ask<F>());
  proxy.expect_drop(DropReason::malformed_fragment, fragments_of(error, 16)[0]);
}

}  // namespace sluice
