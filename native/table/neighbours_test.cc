// SPDX-License-Identifier: Apache-2.0
#include "table/neighbours.h"

#include <doctest/doctest.h>

#include <cstring>
#include <thread>
#include <vector>

namespace sluice {
namespace {

constexpr uint8_t kMac[6] = {2, 0, 0, 0, 0, 9};

}  // namespace

TEST_CASE("an entry is learned, ages and is learned again") {
  NeighbourTable table(8);
  const be32 address = be32::from_host(0x0a000001);
  CHECK(table.find(3, address) == nullptr);
  Neighbour* neighbour = table.find_or_add(3, address);
  REQUIRE(neighbour != nullptr);
  CHECK(table.find(3, address) == neighbour);
  CHECK(table.find_or_add(3, address) == neighbour);
  CHECK(table.find(4, address) == nullptr);
  CHECK_FALSE(neighbour->usable(0));

  neighbour->learn(kMac, 1000);
  uint8_t mac[6];
  neighbour->copy_mac(mac);
  CHECK(std::memcmp(mac, kMac, 6) == 0);
  CHECK(neighbour->usable(1000));
  CHECK_FALSE(neighbour->stale(60'999));
  CHECK(neighbour->stale(61'000));
  CHECK(neighbour->usable(120'999));
  CHECK_FALSE(neighbour->usable(121'000));
  CHECK(neighbour->usable(500));  // another worker's clock
  neighbour->learn(kMac, 121'000);
  CHECK_FALSE(neighbour->stale(121'000));
}

TEST_CASE("one request a second, also at time 0") {
  NeighbourTable table(8);
  Neighbour* neighbour = table.find_or_add(0, be32::from_host(1));
  CHECK(neighbour->may_request(0));
  CHECK_FALSE(neighbour->may_request(0));
  CHECK_FALSE(neighbour->may_request(999));
  CHECK(neighbour->may_request(1000));
  CHECK_FALSE(neighbour->may_request(1999));
}

TEST_CASE("the capacity counts all interfaces, and removal gives room back") {
  NeighbourTable table(64);
  for (uint32_t round = 0; round < 200; round++) {
    for (uint32_t i = 0; i < 64; i++) {
      REQUIRE(table.find_or_add(static_cast<uint16_t>(i % 2), be32::from_host(i + round)));
    }
    REQUIRE(table.find_or_add(7, be32::from_host(99)) == nullptr);
    REQUIRE(table.used() == 64);
    table.remove_interface(0);
    REQUIRE(table.used() == 32);
    for (uint32_t i = 0; i < 64; i++) {
      const bool there = table.find(static_cast<uint16_t>(i % 2), be32::from_host(i + round));
      REQUIRE(there == (i % 2 == 1));
    }
    Neighbour* again = table.find_or_add(0, be32::from_host(round));
    REQUIRE(again != nullptr);
    REQUIRE_FALSE(again->usable(0));
    REQUIRE(again->may_request(0));
    again->learn(kMac, 0);
    table.remove_interface(0);
    table.remove_interface(1);
    REQUIRE(table.used() == 0);
  }
}

TEST_CASE("an interface whose link went down forgets what it learned, and may ask at once") {
  NeighbourTable table(8);
  const be32 address = be32::from_host(1);
  for (uint16_t interface : {1, 2}) {
    Neighbour* neighbour = table.find_or_add(interface, address);
    CHECK(neighbour->may_request(5000));
    neighbour->learn(kMac, 5000);
  }
  table.forget_interface(1);
  CHECK(table.used() == 2);
  CHECK_FALSE(table.find(1, address)->usable(5000));
  CHECK(table.find(1, address)->may_request(5000));
  CHECK(table.find(2, address)->usable(5000));
  CHECK_FALSE(table.find(2, address)->may_request(5000));
}

TEST_CASE("workers that add the same neighbours at once get the same entries") {
  NeighbourTable table(1000);
  std::vector<Neighbour*> seen[2];
  auto work = [&](int worker) {
    for (uint32_t i = 0; i < 1000; i++) {
      seen[worker].push_back(table.find_or_add(1, be32::from_host(i)));
    }
  };
  std::thread other(work, 0);
  work(1);
  other.join();
  CHECK(seen[0] == seen[1]);
  CHECK(table.used() == 1000);
}

}  // namespace sluice
