// SPDX-License-Identifier: Apache-2.0
#include "table/routes.h"

#include <doctest/doctest.h>

#include <map>
#include <random>

#include "testing/eal.h"

namespace sluice {
namespace {

uint32_t mask(uint8_t length) { return length == 0 ? 0 : UINT32_MAX << (32 - length); }

}  // namespace

TEST_CASE("the longest prefix wins, down to none") {
  start_eal();
  auto table = RouteTable::create(16);
  REQUIRE(table != nullptr);
  const be32 address = be32::from_host(0x0a010203);
  CHECK(table->lookup(address) == kNoNextHop);
  CHECK(table->put(be32{}, 0, 1));
  CHECK(table->lookup(address) == 1);
  CHECK(table->put(be32::from_host(0x0a000000), 8, 2));
  CHECK(table->put(be32::from_host(0x0a010203), 32, 3));
  CHECK(table->lookup(address) == 3);
  CHECK(table->lookup(be32::from_host(0x0a010204)) == 2);
  CHECK(table->put(be32::from_host(0x0a010203), 32, 4));
  CHECK(table->lookup(address) == 4);
  CHECK(table->remove(be32::from_host(0x0a010203), 32));
  CHECK_FALSE(table->remove(be32::from_host(0x0a010203), 32));
  CHECK(table->lookup(address) == 2);
  CHECK(table->remove(be32::from_host(0x0a000000), 8));
  CHECK(table->remove(be32{}, 0));
  CHECK(table->lookup(address) == kNoNextHop);
}

TEST_CASE("the table holds what it was made for, and random changes agree with a plain map") {
  start_eal();
  constexpr uint32_t kRoutes = 300;
  auto table = RouteTable::create(kRoutes);
  REQUIRE(table != nullptr);
  std::map<std::pair<uint8_t, uint32_t>, uint32_t> expected;  // (length, prefix)
  std::mt19937 random(4);
  auto address = [&] { return 0x0a000000 | (static_cast<uint32_t>(random()) & 0x00030f0f); };
  for (uint32_t step = 0; step < 6000; step++) {
    const auto length = static_cast<uint8_t>(random() % 33);
    const uint32_t prefix = address() & mask(length);
    if (random() % 3 == 0) {
      const bool there = expected.erase({length, prefix}) > 0;
      REQUIRE(table->remove(be32::from_host(prefix), length) == there);
    } else if (expected.contains({length, prefix}) || expected.size() < kRoutes) {
      expected[{length, prefix}] = step;
      REQUIRE(table->put(be32::from_host(prefix), length, step));
    }
    const uint32_t wanted = address();
    uint32_t best = kNoNextHop;
    for (int bits = 32; bits >= 0 && best == kNoNextHop; bits--) {
      const auto length_of = static_cast<uint8_t>(bits);
      const auto found = expected.find({length_of, wanted & mask(length_of)});
      if (found != expected.end()) best = found->second;
    }
    REQUIRE(table->lookup(be32::from_host(wanted)) == best);
  }
}

}  // namespace sluice
