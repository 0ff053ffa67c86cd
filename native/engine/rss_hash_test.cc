// SPDX-License-Identifier: Apache-2.0
#include "engine/rss_hash.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>

#include "testing/frames.h"

namespace sluice {
namespace {

constexpr Stations kStations{{2, 0, 0, 0, 0, 1}, {2, 0, 0, 0, 0, 2}};

std::optional<uint32_t> hash(const Bytes& frame) {
  return symmetric_hash(frame.data(), static_cast<uint32_t>(frame.size()));
}

struct Pair {
  AnyAddress client, server;
};
const Pair kPairs[] = {{ip(10, 0, 0, 9), ip(10, 96, 0, 10)}, {ip6("fd00::9"), ip6("fd96::10")}};

TEST_CASE("both directions of a flow hash alike, other ports and protocols do not") {
  for (const auto& [client, server] : kPairs) {
    const auto there = hash(udp_frame(kStations, client, 5000, server, 53));
    REQUIRE(there);
    CHECK(there == hash(udp_frame(kStations, server, 53, client, 5000)));
    CHECK(there != hash(udp_frame(kStations, client, 5001, server, 53)));
    CHECK(there != hash(tcp_frame(kStations, client, 5000, server, 53, kTcpSyn)));
    CHECK(hash(tcp_frame(kStations, client, 5000, server, 80, kTcpSyn)) ==
          hash(tcp_frame(kStations, server, 80, client, 5000, kTcpSyn | kTcpAck)));
    CHECK(hash(sctp_frame(kStations, client, 5000, server, 80, kSctpInit)) ==
          hash(sctp_frame(kStations, server, 80, client, 5000, kSctpInit)));
  }
}

TEST_CASE("all fragments of a datagram hash alike, and so does what has no ports") {
  for (const auto& [client, server] : kPairs) {
    const auto echo = hash(echo_frame(kStations, client, server));
    REQUIRE(echo);
    CHECK(echo == hash(echo_frame(kStations, server, client, 7, true)));
    for (const Bytes& piece :
         fragments_of(udp_frame(kStations, client, 5000, server, 53, 99), 48)) {
      CHECK(echo == hash(piece));
    }
  }
}

TEST_CASE("IPv4 options are stepped over") {
  const Bytes plain = udp_frame(kStations, kPairs[0].client, 5000, kPairs[0].server, 53);
  Bytes frame = plain;
  frame.insert(frame.begin() + 34, 8, 1);
  frame[14] = 0x47;
  CHECK(hash(frame) == hash(plain));
}

TEST_CASE("what is no IP has no hash; frames may end anywhere") {
  Bytes arp = ethernet_frame(kStations, kEtherTypeArp, 60);
  CHECK_FALSE(hash(arp));
  for (const auto& [client, server] : kPairs) {
    const Bytes whole = tcp_frame(kStations, client, 5000, server, 80, kTcpSyn);
    const size_t header = client.is_ipv4() ? 34 : 54;
    for (size_t length = 0; length <= whole.size(); length++) {
      const Bytes cut(whole.begin(), whole.begin() + static_cast<ptrdiff_t>(length));
      CHECK(hash(cut).has_value() == (length >= header));
    }
  }
}

TEST_CASE("flows spread evenly over 16 workers") {
  constexpr uint32_t kWorkers = 16, kFlows = 16'000;
  for (const auto& [client, server] : kPairs) {
    std::array<uint32_t, kWorkers> shares{};
    for (uint32_t port = 0; port < kFlows; port++) {
      const Bytes frame =
          udp_frame(kStations, client, static_cast<uint16_t>(port + 1024), server, 53, 0);
      shares[static_cast<uint64_t>(*hash(frame)) * kWorkers >> 32]++;
    }
    const auto [least, most] = std::minmax_element(shares.begin(), shares.end());
    CHECK(*least > 850);
    CHECK(*most < 1150);
  }
}

}  // namespace
}  // namespace sluice
