// SPDX-License-Identifier: Apache-2.0
#include "table/routes.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstring>
#include <map>
#include <random>
#include <string>

#include "testing/eal.h"

namespace sluice {
namespace {

// The address whose bits begin with those of `word`, the others zero, from `length` on too.
template <class F>
typename F::Address prefix(uint64_t word, uint8_t length) {
  if (length < 64) word &= length == 0 ? 0 : ~uint64_t{0} << (64 - length);
  if constexpr (F::kVersion == 4) {
    return be32::from_host(static_cast<uint32_t>(word >> 32));
  } else {
    Address address{};
    const uint64_t swapped = __builtin_bswap64(word);
    std::memcpy(address.bytes, &swapped, sizeof(swapped));
    return address;
  }
}

template <class F>
std::string text(const typename F::Address& address) {
  return {reinterpret_cast<const char*>(&address), sizeof(address)};
}

constexpr uint64_t kTen = 0x0a010203'04050607;

// A family, and one of both kinds of table.
template <class F, bool large>
struct Kind {
  using Family = F;
  static std::unique_ptr<RouteTable<F>> make(uint32_t routes) {
    start_eal();
    auto table = RouteTable<F>::create(large ? kWalkedRoutes + 1 : routes);
    REQUIRE(table != nullptr);
    return table;
  }
};

}  // namespace

TEST_CASE_TEMPLATE("the longest prefix wins, down to none", Kind_, Kind<Ipv4, false>,
                   Kind<Ipv4, true>, Kind<Ipv6, false>, Kind<Ipv6, true>) {
  using F = typename Kind_::Family;
  auto table = Kind_::make(16);
  const auto address = prefix<F>(kTen, F::kBits);
  auto other = address;
  reinterpret_cast<uint8_t*>(&other)[sizeof(other) - 1] ^= 1;
  CHECK(table->lookup(address) == kNoRoute);
  CHECK(table->put({}, 0, 1));
  CHECK(table->lookup(address) == 1);
  CHECK(table->put(prefix<F>(kTen, 8), 8, 2));
  CHECK(table->put(address, F::kBits, 3));
  CHECK(table->lookup(address) == 3);
  CHECK(table->lookup(other) == 2);
  CHECK(table->put(address, F::kBits, 4));
  CHECK(table->lookup(address) == 4);
  CHECK(table->remove(address, F::kBits));
  CHECK_FALSE(table->remove(address, F::kBits));
  CHECK(table->lookup(address) == 2);
  CHECK(table->remove(prefix<F>(kTen, 8), 8));
  CHECK(table->lookup(address) == 1);
  CHECK(table->remove({}, 0));
  CHECK(table->lookup(address) == kNoRoute);
}

TEST_CASE_TEMPLATE("a default route that came last serves the rest, and goes without a trace",
                   Kind_, Kind<Ipv4, false>, Kind<Ipv4, true>, Kind<Ipv6, false>,
                   Kind<Ipv6, true>) {
  using F = typename Kind_::Family;
  auto table = Kind_::make(16);
  const auto high = prefix<F>(~uint64_t{0}, F::kBits), low = prefix<F>(0, F::kBits);
  CHECK(table->put(prefix<F>(~uint64_t{0}, 1), 1, 1));
  CHECK(table->put({}, 0, 2));
  CHECK(table->lookup(high) == 1);
  CHECK(table->lookup(low) == 2);
  CHECK(table->remove(prefix<F>(~uint64_t{0}, 1), 1));
  CHECK(table->lookup(high) == 2);
  CHECK(table->remove({}, 0));
  CHECK(table->lookup(high) == kNoRoute);
}

TEST_CASE_TEMPLATE(
    "the table holds what it was made for, and random changes agree with a plain map", Kind_,
    Kind<Ipv4, false>, Kind<Ipv4, true>, Kind<Ipv6, false>, Kind<Ipv6, true>) {
  using F = typename Kind_::Family;
  constexpr uint32_t kRoutes = 300;
  auto table = Kind_::make(kRoutes);
  std::map<std::pair<uint8_t, std::string>, uint32_t> expected;
  std::mt19937_64 random(4);
  // Bits that vary lie all over a prefix, so that many share some of it.
  auto word = [&] { return kTen ^ (random() & 0x00030f0f'00000301); };
  for (uint32_t step = 0; step < 6000; step++) {
    const auto length = static_cast<uint8_t>(random() % (std::min<uint32_t>(F::kBits, 64) + 1));
    const auto changed = prefix<F>(word(), length);
    const std::pair key{length, text<F>(changed)};
    if (random() % 3 == 0) {
      REQUIRE(table->remove(changed, length) == (expected.erase(key) > 0));
    } else if (expected.contains(key) || expected.size() < kRoutes) {
      expected[key] = step;
      REQUIRE(table->put(changed, length, step));
    }
    const uint64_t wanted = word();
    uint32_t best = kNoRoute;
    for (int bits = 64; bits >= 0 && best == kNoRoute; bits--) {
      const auto of = static_cast<uint8_t>(bits);
      const auto found = expected.find({of, text<F>(prefix<F>(wanted, of))});
      if (found != expected.end()) best = found->second;
    }
    REQUIRE(table->lookup(prefix<F>(wanted, 64)) == best);
  }
}

}  // namespace sluice
