// SPDX-License-Identifier: Apache-2.0
#include "table/neighbours.h"

#include <doctest/doctest.h>

#include <cstring>
#include <thread>
#include <vector>

#include "base/crc32c.h"

namespace sluice {
namespace {

constexpr uint8_t kMac[6] = {2, 0, 0, 0, 0, 9};
constexpr NeighbourAges kAges{.stale_ms = 60'000, .dead_ms = 120'000};

Address four(uint32_t number) { return Ipv4::general(be32::from_host(number)); }
Address six(uint32_t number) {
  Address address{{0xfd}};
  std::memcpy(address.bytes + 12, &number, sizeof(number));
  return address;
}

}  // namespace

TEST_CASE("an entry is learned, ages and is learned again") {
  NeighbourTable table(8);
  const Address address = four(0x0a000001);
  CHECK(table.find(3, address) == nullptr);
  Neighbour* neighbour = table.find_or_add(3, address);
  REQUIRE(neighbour != nullptr);
  CHECK(table.find(3, address) == neighbour);
  CHECK(table.find_or_add(3, address) == neighbour);
  CHECK(table.find(4, address) == nullptr);
  CHECK_FALSE(neighbour->usable(0, kAges));

  neighbour->learn(kMac, 1000);
  uint8_t mac[6];
  neighbour->copy_mac(mac);
  CHECK(std::memcmp(mac, kMac, 6) == 0);
  CHECK(neighbour->usable(1000, kAges));
  CHECK_FALSE(neighbour->stale(60'999, kAges));
  CHECK(neighbour->stale(61'000, kAges));
  CHECK(neighbour->usable(120'999, kAges));
  CHECK_FALSE(neighbour->usable(121'000, kAges));
  CHECK(neighbour->usable(500, kAges));  // another worker's clock
  neighbour->learn(kMac, 121'000);
  CHECK_FALSE(neighbour->stale(121'000, kAges));
}

TEST_CASE("ages are what they are set to") {
  NeighbourTable table(8);
  Neighbour* neighbour = table.find_or_add(0, six(1));
  neighbour->learn(kMac, 0);
  const NeighbourAges ages{.stale_ms = 5, .dead_ms = 7};
  CHECK_FALSE(neighbour->stale(4, ages));
  CHECK(neighbour->stale(5, ages));
  CHECK(neighbour->stale(6, ages));
  CHECK_FALSE(neighbour->usable(7, ages));
}

TEST_CASE("both families in one table, thousands of them") {
  constexpr uint32_t kEach = 4000;
  NeighbourTable table(2 * kEach);
  std::vector<Neighbour*> fours, sixes;
  for (uint32_t i = 0; i < kEach; i++) {
    fours.push_back(table.find_or_add(1, four(i)));
    sixes.push_back(table.find_or_add(1, six(i)));
    REQUIRE(fours.back() != nullptr);
    REQUIRE(sixes.back() != nullptr);
    REQUIRE(fours.back() != sixes.back());
  }
  CHECK(table.used() == 2 * kEach);
  CHECK(table.find_or_add(1, six(kEach)) == nullptr);
  for (uint32_t i = 0; i < kEach; i++) {
    REQUIRE(table.find(1, four(i)) == fours[i]);
    REQUIRE(table.find(1, six(i)) == sixes[i]);
    REQUIRE(table.find(2, six(i)) == nullptr);
  }
}

TEST_CASE("addresses of one hash are two neighbours") {
  // CRC32C is linear: what changes both by a multiple of its polynomial (33 bits) leaves it.
  Address a = six(0), b = six(0);
  const uint64_t polynomial = 0x105ec76f1;  // 1 + 0x82f63b78 reflected, bit 0 first
  std::memcpy(b.bytes + 4, &polynomial, 5);
  REQUIRE(crc32c(a.bytes, 16) == crc32c(b.bytes, 16));
  NeighbourTable table(8);
  Neighbour* first = table.find_or_add(1, a);
  CHECK(table.find(1, b) == nullptr);
  Neighbour* second = table.find_or_add(1, b);
  CHECK(second != first);
  CHECK(table.find(1, a) == first);
  CHECK(table.find(1, b) == second);
  table.remove_interface(1);
  CHECK(table.find(1, a) == nullptr);
  CHECK(table.find(1, b) == nullptr);
}

TEST_CASE("one request a second, also at time 0") {
  NeighbourTable table(8);
  Neighbour* neighbour = table.find_or_add(0, four(1));
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
      REQUIRE(table.find_or_add(static_cast<uint16_t>(i % 2), four(i + round)));
    }
    REQUIRE(table.find_or_add(7, four(99)) == nullptr);
    REQUIRE(table.used() == 64);
    table.remove_interface(0);
    REQUIRE(table.used() == 32);
    for (uint32_t i = 0; i < 64; i++) {
      const bool there = table.find(static_cast<uint16_t>(i % 2), four(i + round));
      REQUIRE(there == (i % 2 == 1));
    }
    Neighbour* again = table.find_or_add(0, four(round));
    REQUIRE(again != nullptr);
    REQUIRE_FALSE(again->usable(0, kAges));
    REQUIRE(again->may_request(0));
    again->learn(kMac, 0);
    table.remove_interface(0);
    table.remove_interface(1);
    REQUIRE(table.used() == 0);
  }
}

TEST_CASE("an interface whose link went down forgets what it learned, and may ask at once") {
  NeighbourTable table(8);
  const Address address = four(1);
  for (uint16_t interface = 1; interface <= 2; interface++) {
    Neighbour* neighbour = table.find_or_add(interface, address);
    CHECK(neighbour->may_request(5000));
    neighbour->learn(kMac, 5000);
  }
  table.forget_interface(1);
  CHECK(table.used() == 2);
  CHECK_FALSE(table.find(1, address)->usable(5000, kAges));
  CHECK(table.find(1, address)->may_request(5000));
  CHECK(table.find(2, address)->usable(5000, kAges));
  CHECK_FALSE(table.find(2, address)->may_request(5000));
}

TEST_CASE("workers that add the same neighbours at once get the same entries") {
  NeighbourTable table(1000);
  std::vector<Neighbour*> seen[2];
  auto work = [&](int worker) {
    for (uint32_t i = 0; i < 1000; i++) {
      seen[worker].push_back(table.find_or_add(1, four(i)));
    }
  };
  std::thread other(work, 0);
  work(1);
  other.join();
  CHECK(seen[0] == seen[1]);
  CHECK(table.used() == 1000);
}

}  // namespace sluice
