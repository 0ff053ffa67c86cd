// SPDX-License-Identifier: Apache-2.0
// Random traffic for a proxy of both families: packets that make sense, with few enough addresses
// and ports that flows, neighbours and fragments meet; packets that were spoilt; garbage.
#pragma once

#include <algorithm>
#include <deque>
#include <random>
#include <utility>

#include "testing/proxy.h"

namespace sluice {

class Noise {
 public:
  explicit Noise(uint32_t seed) : random_(seed) {}

  uint32_t below(uint32_t limit) { return static_cast<uint32_t>(random_() % limit); }
  bool one_in(uint32_t n) { return below(n) == 0; }

  // Frames that come in by an interface: one, or the fragments of a datagram.
  std::vector<Bytes> frames(uint16_t interface) {
    const Stations in{interface == 0 ? kClientMac : kPodMac, World::mac(interface)};
    std::vector<Bytes> out = {one_in(2) ? sound<Ipv4>(in) : sound<Ipv6>(in)};
    if (one_in(8)) extend(out[0]);
    const bool is_ip = ethernet_of(out[0]).type.host() != kEtherTypeArp;
    if (is_ip && one_in(30)) age(out[0]);
    if (is_ip && one_in(4)) {
      out = fragments_of(out[0], 8 * (1 + below(4)), static_cast<uint16_t>(below(6)));
      std::shuffle(out.begin(), out.end(), random_);
      if (one_in(2)) out.resize(1 + below(static_cast<uint32_t>(out.size())));
    }
    if (one_in(20)) out = {garbage()};
    for (Bytes& frame : out) {
      if (one_in(3)) spoil(frame);
    }
    return out;
  }
  // What was sent is what errors are about.
  void remember(const Bytes& frame) {
    sent_.push_back(frame);
    if (sent_.size() > 50) sent_.pop_front();
  }

 private:
  template <class F>
  const AnyAddress& somebody() {
    using N = Names<F>;
    static const AnyAddress* const kHosts[] = {&N::vip,    &N::vip,       &N::vip, &N::pod,
                                               &N::client, &N::other_pod, &N::far, &N::up,
                                               &N::down,   &N::nowhere};
    return *kHosts[below(std::size(kHosts))];
  }
  template <class F>
  const AnyAddress& sender(Stations in) {
    using N = Names<F>;
    if (one_in(12)) return somebody<F>();
    if (in.source == kPodMac) return one_in(2) ? N::pod : N::other_pod;
    return one_in(2) ? N::client : N::far;
  }
  uint16_t port() {
    static constexpr uint16_t kPorts[] = {80, 53, 9, 8080, 5353, 9000, 81, 0};
    return one_in(3) ? static_cast<uint16_t>(1024 + below(12)) : kPorts[below(8)];
  }

  template <class F>
  Bytes sound(Stations in) {
    const AnyAddress &source = sender<F>(in), &destination = somebody<F>();
    const size_t data = one_in(16) ? 1300 + below(300) : below(60);
    switch (below(12)) {
      case 0:
        return F::kVersion == 4 ? arp<F>(in, source, destination) : nd(in, source, destination);
      case 1:
        return echo_frame(in, source, destination, port(), one_in(2));
      case 2:
        return error<F>(in, source, destination);
      case 3:
        return ip_frame(in, source, destination, one_in(3) ? Names<F>::icmp : uint8_t{99},
                        Bytes(data + 8));
      case 4:
      case 5:
        return sctp_frame(in, source, port(), destination, port(), static_cast<uint8_t>(below(16)),
                          data);
      case 6:
      case 7:
      case 8:
        return udp_frame(in, source, port(), destination, port(), data);
      default:
        return tcp_frame(in, source, port(), destination, port(), static_cast<uint8_t>(below(32)),
                         data);
    }
  }
  template <class F>
  Bytes arp(Stations in, const AnyAddress& sender, const AnyAddress& target) {
    return arp_frame({in.source, one_in(2) ? kBroadcast : in.destination},
                     static_cast<uint16_t>(1 + below(2)), Ipv4::from(sender).host(),
                     Ipv4::from(target).host());
  }
  Bytes nd(Stations in, const AnyAddress& source, const AnyAddress& target) {
    const uint8_t type = static_cast<uint8_t>(133 + below(5));
    const AnyAddress from = one_in(4) ? AnyAddress(Address{}) : source;
    const bool solicits = type == kNeighbourSolicitation;
    Bytes options = link_address(solicits ? kSourceLinkAddress : kTargetLinkAddress, in.source);
    if (from.is_zero() || one_in(4)) options.clear();
    Address to{{0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0xff, 0, 0, 1}};
    if (one_in(3)) to = Names<Ipv6>::up;
    Bytes frame = nd_frame(in, from, to, type, solicits || one_in(2) ? target : source, options);
    if (to.bytes[0] == 0xff) frame[0] = 0x33;
    return frame;
  }
  template <class F>
  Bytes error(Stations in, const AnyAddress& source, const AnyAddress& destination) {
    if (sent_.empty()) return ask<F>();
    Bytes about = sent_[below(static_cast<uint32_t>(sent_.size()))];
    const bool v4 = ethernet_of(about).type.host() == kEtherTypeIpv4;
    if (ethernet_of(about).type.host() == kEtherTypeArp) return ask<F>();
    const Address blamed = source_of(about);
    const AnyAddress from = v4 == (F::kVersion == 4) ? source : AnyAddress(destination_of(about));
    return error_frame(in, from,
                       one_in(4) && v4 == destination.is_ipv4() ? destination : AnyAddress(blamed),
                       about, 8 + below(200));
  }

  void age(Bytes& frame) {
    (is_ipv4(frame) ? ip_of(frame).ttl : ip6_of(frame).hop_limit) = static_cast<uint8_t>(below(3));
    write_ip_checksum(frame);
  }
  // Puts an extension header in front of what an IPv6 packet carries.
  void extend(Bytes& frame) {
    if (ethernet_of(frame).type.host() != kEtherTypeIpv6) return;
    static constexpr uint8_t kHeaders[] = {kProtocolHopByHop, kProtocolRouting, kProtocolFragment,
                                           kProtocolDestinationOptions};
    Bytes header(8);
    header[0] = std::exchange(ip6_of(frame).next_header, kHeaders[below(4)]);
    header[3] = static_cast<uint8_t>(below(2));
    frame.insert(frame.begin() + 54, header.begin(), header.end());
    ip6_of(frame).payload_length = be16::from_host(static_cast<uint16_t>(frame.size() - 54));
  }

  void spoil(Bytes& frame) {
    if (one_in(4)) frame.resize(below(static_cast<uint32_t>(frame.size()) + 20));
    for (uint32_t flips = below(4); flips > 0 && !frame.empty(); flips--) {
      const auto size = static_cast<uint32_t>(frame.size());
      const uint32_t at = one_in(2) ? below(std::min(size, 90u)) : below(size);
      frame[at] = static_cast<uint8_t>(random_());
    }
    if (frame.size() >= 34 && frame[14] >> 4 == 4 && one_in(2)) {  // past the header checksum
      ip_of(frame).checksum = {};
      const size_t header = std::min<size_t>((frame[14] & 0xfu) * 4u, frame.size() - 14);
      ip_of(frame).checksum = full_checksum(&frame[14], header);
    }
  }
  Bytes garbage() {
    Bytes frame(below(100));
    for (auto& byte : frame) byte = static_cast<uint8_t>(random_());
    return frame;
  }

  std::mt19937 random_;
  std::deque<Bytes> sent_;
};

}  // namespace sluice
