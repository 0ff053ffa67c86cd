// SPDX-License-Identifier: Apache-2.0
#include "table/maglev.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <random>

namespace sluice {
namespace {

MaglevBackend backend(uint32_t number, uint16_t weight = 1) {
  MaglevBackend made{{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 10, 244,
                      static_cast<uint8_t>(number >> 8), static_cast<uint8_t>(number)},
                     8080,
                     weight};
  return made;
}

std::vector<MaglevBackend> backends(uint32_t count) {
  std::vector<MaglevBackend> all;
  for (uint32_t i = 0; i < count; i++) all.push_back(backend(i + 1));
  return all;
}

std::vector<uint32_t> shares(const std::vector<uint32_t>& table, size_t rows) {
  std::vector<uint32_t> count(rows);
  for (uint32_t row : table) count.at(row)++;
  return count;
}

}  // namespace

TEST_CASE("no backend that may serve: no table") {
  CHECK(build_maglev({}).empty());
  CHECK(build_maglev(std::vector{backend(1, 0), backend(2, 0)}).empty());
}

TEST_CASE("sizes step with the number of backends") {
  CHECK(build_maglev(backends(1)) == std::vector<uint32_t>{0});
  CHECK(build_maglev(backends(2)).size() == 1021);
  CHECK(build_maglev(backends(10)).size() == 1021);
  CHECK(build_maglev(backends(11)).size() == 4099);
  CHECK(build_maglev(backends(40)).size() == 4099);
  CHECK(build_maglev(backends(41)).size() == 16381);
  CHECK(build_maglev(backends(161)).size() == 65537);
  CHECK(build_maglev(backends(656)).size() == 655373);
}

TEST_CASE("ten backends share within 2 % of even") {
  for (uint32_t count : shares(build_maglev(backends(10)), 10)) {
    CHECK(std::abs(count - 102.1) <= 102.1 * 0.02);
  }
}

TEST_CASE("one of a hundred removed moves at most 3 % of the others' slots") {
  const auto all = backends(100);
  const auto before = build_maglev(all);
  for (uint32_t gone : {0u, 17u, 99u}) {
    auto fewer = all;
    fewer.erase(fewer.begin() + gone);
    const auto after = build_maglev(fewer);
    REQUIRE(after.size() == before.size());
    uint32_t others = 0, moved = 0;
    for (size_t slot = 0; slot < before.size(); slot++) {
      if (before[slot] == gone) continue;
      others++;
      if (after[slot] + (after[slot] >= gone ? 1 : 0) != before[slot]) moved++;
    }
    CHECK(moved <= others * 0.03);
  }
}

TEST_CASE("the order of the rows does not matter") {
  auto rows = backends(20);
  const auto table = build_maglev(rows);
  std::vector<uint32_t> order(rows.size());
  for (uint32_t i = 0; i < order.size(); i++) order[i] = i;
  std::shuffle(order.begin(), order.end(), std::mt19937(3));
  std::vector<MaglevBackend> shuffled;
  for (uint32_t row : order) shuffled.push_back(rows[row]);
  const auto again = build_maglev(shuffled);
  for (size_t slot = 0; slot < table.size(); slot++) REQUIRE(order[again[slot]] == table[slot]);
}

TEST_CASE("shares follow weights, and weight 0 has none") {
  const std::vector rows{backend(1, 1), backend(2, 3), backend(3, 0), backend(4, 6)};
  const auto table = build_maglev(rows);
  const auto count = shares(table, rows.size());
  const auto total = static_cast<double>(table.size());
  CHECK(count[0] / total == doctest::Approx(0.1).epsilon(0.02));
  CHECK(count[1] / total == doctest::Approx(0.3).epsilon(0.02));
  CHECK(count[2] == 0);
  CHECK(count[3] / total == doctest::Approx(0.6).epsilon(0.02));
}

TEST_CASE("a hash falls into the table") {
  CHECK(maglev_slot(0, 4099) == 0);
  CHECK(maglev_slot(UINT32_MAX, 4099) == 4098);
  CHECK(maglev_slot(UINT32_MAX, 1) == 0);
}

}  // namespace sluice
