// SPDX-License-Identifier: Apache-2.0
// Writes many frames that differ in their five-tuple alone, with right checksums.
#pragma once

#include "packet/checksum_changes.h"
#include "testing/bench_names.h"
#include "testing/bench_world.h"
#include "testing/frames.h"

namespace sluice {

// Without the Ethernet FCS, so that a UDP packet of IPv4 is 64 bytes on the wire. Those of IPv6 and
// of TCP are as short as their headers allow, but no shorter than this.
inline constexpr size_t kBenchFrame = 60;

template <class F>
class BenchFrames {
 public:
  // Of `protocol` (TCP or UDP); they come in by `interface`.
  BenchFrames(uint16_t interface, uint8_t protocol, uint8_t tcp_flags = kTcpAck)
      : protocol_(protocol), model_(make(interface, protocol, tcp_flags)) {}

  // Returns the frame's length.
  uint32_t write(const FiveTuple<F>& tuple, uint8_t* to) const {
    std::memcpy(to, model_.data(), model_.size());
    auto& ip = *ip_header<F>(to);
    const uint64_t addresses = replace<typename F::Address>(ip.source, tuple.source) +
                               replace<typename F::Address>(ip.destination, tuple.destination);
    update_header_checksum(ip, addresses);
    auto& ports = *header_at<PortsHeader>(to, kL4At);
    const uint64_t all = addresses + replace(ports.source, tuple.source_port) +
                         replace(ports.destination, tuple.destination_port);
    auto& checksum = *header_at<be16>(to, kL4At + checksum_offset(protocol_));
    checksum = protocol_ == kProtocolUdp ? update_udp_checksum(checksum, all)
                                         : update_checksum(checksum, all);
    return length();
  }
  uint32_t length() const { return static_cast<uint32_t>(model_.size()); }

 private:
  static constexpr uint32_t kL4At = kEthernetBytes + sizeof(typename Wire<F>::Header);

  static Bytes make(uint16_t interface, uint8_t protocol, uint8_t tcp_flags) {
    Stations stations;
    std::copy_n(kBenchPeers[interface], 6, stations.source.begin());
    std::copy_n(kBenchMacs[interface], 6, stations.destination.begin());
    const AnyAddress address = F::general(BenchNames<F>::client(0));
    const size_t headers =
        kL4At + (protocol == kProtocolUdp ? sizeof(UdpHeader) : sizeof(TcpHeader));
    const size_t data = kBenchFrame > headers ? kBenchFrame - headers : 0;
    return protocol == kProtocolUdp ? udp_frame(stations, address, 1, address, 1, data)
                                    : tcp_frame(stations, address, 1, address, 1, tcp_flags, data);
  }

  const uint8_t protocol_;
  const Bytes model_;
};

}  // namespace sluice
