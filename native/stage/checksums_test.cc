// SPDX-License-Identifier: Apache-2.0
// Checksums that a peer has left to be finished, and those that only look like it.
#include "stage/checksums.h"

#include "testing/proxy.h"

namespace sluice {
namespace {

// As a kernel leaves it to the device: the field holds the sum of the pseudo header.
Bytes unfinished(Bytes frame) {
  const auto [at, protocol] = l4_place(frame);
  if (protocol == kProtocolSctp) {
    l4_of<SctpHeader>(frame).checksum = {};
    return frame;
  }
  const auto length = static_cast<uint32_t>(frame.size() - at);
  *header_at<be16>(frame.data(), at + checksum_offset(protocol)) = {
      fold(pseudo_header_sum(frame, protocol, length))};
  return frame;
}

// Interface 0 takes packets as they are.
struct Veth : Proxy {
  Veth() {
    remove_interface(0);
    add_interface(0, 1500, true);
    commit(Delta()
               .address(0, Names<Ipv4>::up, 24)
               .address(0, Names<Ipv6>::up, 64)
               .route(Names<Ipv4>::clients.prefix, 24, 0)
               .route(Names<Ipv6>::clients.prefix, 64, 0));
  }
};

template <class F>
std::vector<std::pair<Bytes, Bytes>> requests() {
  using N = Names<F>;
  return {{syn<F>(7), tcp_frame(kToPod, N::client, 7, N::pod, Proxy::kTcpTarget, kTcpSyn)},
          {ask<F>(7, 8), udp_frame(kToPod, N::client, 7, N::pod, Proxy::kUdpTarget, 8)},
          {sctp_frame(kIn, N::client, 7, N::vip, Proxy::kSctpPort, kSctpInit),
           sctp_frame(kToPod, N::client, 7, N::pod, Proxy::kSctpTarget, kSctpInit)}};
}

}  // namespace

TEST_CASE_TEMPLATE("what is unfinished is finished, what is finished stays", F, Ipv4, Ipv6) {
  for (const auto& [in, out] : requests<F>()) {
    Veth veth;
    CHECK(veth.pass(0, unfinished(in)) == hopped(out));
    CHECK(veth.pass(0, in) == hopped(out));
    Bytes padded = unfinished(in);
    padded.resize(padded.size() + 3, 0xee);
    CHECK(veth.pass(0, padded) == hopped(out));
  }
}

TEST_CASE_TEMPLATE("elsewhere nothing is finished", F, Ipv4, Ipv6) {
  for (const auto& [in, out] : requests<F>()) {
    Proxy proxy;
    CHECK_FALSE(checksums_hold(proxy.pass(0, unfinished(in))));
  }
}

TEST_CASE_TEMPLATE("no checksum, a wrong one, and fragments are left alone", F, Ipv4, Ipv6) {
  using N = Names<F>;
  auto plain = [](const Bytes& frame) {
    Bytes out = hopped(frame);
    std::copy(kToPod.destination.begin(), kToPod.destination.end(), out.begin());
    std::copy(kToPod.source.begin(), kToPod.source.end(), out.begin() + 6);
    return out;
  };
  Veth veth;
  Bytes frame = udp_frame(kIn, N::client, 1, N::pod, 2);
  l4_of<UdpHeader>(frame).checksum = {};
  CHECK(veth.pass(0, frame) == plain(frame));
  l4_of<UdpHeader>(frame).checksum = {0x1234};
  CHECK(veth.pass(0, frame) == plain(frame));
  const Bytes whole = unfinished(udp_frame(kIn, N::client, 1, N::pod, 2, 40));
  const Bytes first = fragments_of(whole, 24)[0];
  CHECK(veth.pass(0, first) == plain(first));
}

TEST_CASE_TEMPLATE("a checksum that is right by chance stays", F, Ipv4, Ipv6) {
  // The data's sum is zero, so that the pseudo header's sum would be the inverse of the checksum;
  // where that sum is its own inverse, nothing can be told. Find data for which both agree.
  using N = Names<F>;
  Veth veth;
  bool seen = false;
  for (uint32_t word = 0; word < 65536 && !seen; word++) {
    Bytes frame = udp_frame(kIn, N::client, 1, N::pod, 2, 2);
    frame[frame.size() - 2] = static_cast<uint8_t>(word >> 8);
    frame[frame.size() - 1] = static_cast<uint8_t>(word);
    write_l4_checksum(frame);
    if (unfinished(frame) != frame) continue;
    seen = true;
    CHECK(checksums_hold(veth.pass(0, frame)));
  }
  CHECK(seen);
}

}  // namespace sluice
