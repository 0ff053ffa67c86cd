// SPDX-License-Identifier: Apache-2.0
#include "table/ecmp.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <vector>

using namespace sluice;

namespace {

std::vector<EcmpMember> members_of(std::initializer_list<uint32_t> keys) {
  std::vector<EcmpMember> members;
  for (const uint32_t key : keys) members.push_back({key, 1});
  return members;
}

// The keys of the owners, by bucket.
std::vector<uint32_t> owners_of(const std::vector<EcmpMember>& members) {
  const EcmpTable table(members);
  std::vector<uint32_t> keys;
  for (uint32_t bucket = 0; bucket < EcmpTable::kBuckets; bucket++) {
    keys.push_back(members[table.owner(bucket)].key);
  }
  return keys;
}

uint32_t buckets_of(const std::vector<uint32_t>& owners, uint32_t key) {
  return static_cast<uint32_t>(std::count(owners.begin(), owners.end(), key));
}

}  // namespace

TEST_CASE("each of equal members has about its share") {
  const auto owners = owners_of(members_of({1, 2, 3, 4}));
  for (const uint32_t key : {1, 2, 3, 4}) {
    CHECK(buckets_of(owners, key) > 1024 * 0.88);
    CHECK(buckets_of(owners, key) < 1024 * 1.12);
  }
}

TEST_CASE("shares go by weight") {
  const auto owners = owners_of({{1, 1}, {2, 3}, {3, 4}});
  CHECK(buckets_of(owners, 1) == doctest::Approx(512).epsilon(0.12));
  CHECK(buckets_of(owners, 2) == doctest::Approx(1536).epsilon(0.08));
  CHECK(buckets_of(owners, 3) == doctest::Approx(2048).epsilon(0.08));
}

TEST_CASE("of a member that goes its own buckets move, and no others") {
  const auto before = owners_of(members_of({10, 20, 30, 40}));
  const auto after = owners_of(members_of({10, 20, 40}));
  std::vector<uint32_t> heirs;
  for (uint32_t bucket = 0; bucket < EcmpTable::kBuckets; bucket++) {
    if (before[bucket] == 30) {
      heirs.push_back(after[bucket]);
    } else {
      CHECK(after[bucket] == before[bucket]);
    }
  }
  // All the others inherit, each its share.
  for (const uint32_t key : {10, 20, 40}) {
    CHECK(buckets_of(heirs, key) > heirs.size() / 3 * 0.75);
  }
}

TEST_CASE("a member that comes takes its share, and nothing moves between the others") {
  const auto before = owners_of(members_of({10, 20, 30}));
  const auto after = owners_of(members_of({10, 20, 30, 40}));
  uint32_t moved = 0;
  for (uint32_t bucket = 0; bucket < EcmpTable::kBuckets; bucket++) {
    if (after[bucket] == before[bucket]) continue;
    CHECK(after[bucket] == 40);
    moved++;
  }
  CHECK(moved == doctest::Approx(1024).epsilon(0.1));
}

TEST_CASE("the order of the members does not matter") {
  CHECK(owners_of(members_of({1, 2, 3})) == owners_of(members_of({3, 1, 2})));
}

TEST_CASE("the best of those that are left is whose bucket it would be without the owner") {
  const auto members = members_of({10, 20, 30, 40});
  const EcmpTable table(members);
  const auto without = owners_of(members_of({10, 20, 40}));
  for (uint32_t bucket = 0; bucket < EcmpTable::kBuckets; bucket++) {
    const auto best = table.best(bucket, [](uint32_t row) { return row != 2; });
    REQUIRE(best.has_value());
    CHECK(members[*best].key == without[bucket]);
  }
  CHECK_FALSE(table.best(0, [](uint32_t) { return false; }).has_value());
}

TEST_CASE("of equal keys the lower row has all") {
  const EcmpTable table(std::vector<EcmpMember>{{7, 1}, {7, 1}});
  for (uint32_t bucket = 0; bucket < EcmpTable::kBuckets; bucket++) CHECK(table.owner(bucket) == 0);
}

// The software engine's test has the same numbers.
TEST_CASE("known owners") {
  const EcmpTable table(std::vector<EcmpMember>{{0x11111111, 1}, {0x22222222, 2}, {0xffffffff, 1}});
  uint32_t sum = 0;
  for (uint32_t bucket = 0; bucket < EcmpTable::kBuckets; bucket++) {
    sum = sum * 31 + table.owner(bucket);
  }
  CHECK(sum == 3014020625);
  CHECK(EcmpTable::bucket_of(0) == 0);
  CHECK(EcmpTable::bucket_of(1) == 1300);
}
