// SPDX-License-Identifier: Apache-2.0
#include "table/shared_slots.h"

#include <doctest/doctest.h>

#include <map>
#include <random>

namespace sluice {
namespace {

using Slots = SharedSlots<uint32_t>;

std::shared_ptr<const uint32_t> value(uint32_t number) {
  return std::make_shared<const uint32_t>(number);
}

}  // namespace

TEST_CASE("what was put is found until it is taken away") {
  Slots slots;
  CHECK(slots.find(0) == nullptr);
  CHECK(slots.find(UINT32_MAX) == nullptr);
  slots.put(200, value(7));
  REQUIRE(slots.find(200) != nullptr);
  CHECK(*slots.find(200) == 7);
  CHECK(slots.find(0) == nullptr);
  CHECK(slots.find(199) == nullptr);
  CHECK(slots.find(256) == nullptr);
  slots.put(200, nullptr);
  CHECK(slots.find(200) == nullptr);
}

TEST_CASE("copies share values, and keep what they had") {
  Slots slots;
  std::map<uint32_t, uint32_t> wanted;
  std::vector<std::pair<Slots, std::map<uint32_t, uint32_t>>> copies;
  std::mt19937 random(1);
  for (uint32_t n = 0; n < 5000; n++) {
    const uint32_t slot = random() % 300;
    if (random() % 4 == 0) {
      slots.put(slot, nullptr);
      wanted.erase(slot);
    } else {
      slots.put(slot, value(n));
      wanted[slot] = n;
    }
    if (n % 500 == 0) copies.emplace_back(slots, wanted);
  }
  copies.emplace_back(slots, wanted);
  for (const auto& [copy, had] : copies) {
    for (uint32_t slot = 0; slot < 400; slot++) {
      const auto expected = had.find(slot);
      const uint32_t* found = copy.find(slot);
      REQUIRE((found != nullptr) == (expected != had.end()));
      if (found != nullptr) REQUIRE(*found == expected->second);
    }
  }
  const Slots same = slots;
  slots.put(299, value(0));
  for (uint32_t slot = 0; slot < 299; slot++) CHECK(same.find(slot) == slots.find(slot));
}

}  // namespace sluice
