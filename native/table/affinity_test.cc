// SPDX-License-Identifier: Apache-2.0
#include "table/affinity.h"

#include <doctest/doctest.h>

#include <thread>
#include <vector>

#include "base/crc32c.h"
#include "base/endian.h"
#include "base/mix.h"

namespace sluice {
namespace {

Address client(uint32_t number) { return Ipv4::general(be32::from_host(0x0a000000 + number)); }

// The slot that is remembered; UINT32_MAX: none.
uint32_t slot_of(const AffinityTable& table, uint32_t number, uint32_t service, uint32_t now_s) {
  const auto found = table.find(client(number), service, now_s);
  return found ? found->slot : UINT32_MAX;
}

}  // namespace

TEST_CASE("a client keeps its backend until the time has run out") {
  AffinityTable table(100);
  CHECK(table.places() == 128);
  CHECK_FALSE(table.find(client(1), 5, 100));
  table.remember(client(1), 5, {7, 3}, 160, 100);
  REQUIRE(table.find(client(1), 5, 159));
  CHECK(table.find(client(1), 5, 159)->slot == 7);
  CHECK(table.find(client(1), 5, 159)->serial == 3);
  CHECK_FALSE(table.find(client(1), 5, 160));
  CHECK_FALSE(table.find(client(1), 6, 100));
  CHECK_FALSE(table.find(client(2), 5, 100));
  CHECK(table.used() == 1);

  table.remember(client(1), 5, {8, 4}, 200, 150);
  CHECK(slot_of(table, 1, 5, 199) == 8);
  CHECK(table.used() == 1);
  table.remember(client(1), 5, {9, 4}, 300, 250);  // had run out: the same place
  CHECK(slot_of(table, 1, 5, 299) == 9);
  CHECK(table.used() == 1);
}

TEST_CASE("either family") {
  AffinityTable table(8);
  const Address six{{0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 10, 0, 0, 1}};
  table.remember(client(1), 0, {1, 1}, 60, 0);
  table.remember(six, 0, {2, 1}, 60, 0);
  CHECK(slot_of(table, 1, 0, 0) == 1);
  CHECK(table.find(six, 0, 0)->slot == 2);
}

TEST_CASE("a full bucket: what has run out gives its place up, else what would do so first") {
  AffinityTable table(0);  // one bucket
  REQUIRE(table.places() == 8);
  for (uint32_t i = 0; i < 8; i++) table.remember(client(i), 0, {i, 1}, 1000 + i % 4, 0);
  CHECK(table.used() == 8);
  table.remember(client(8), 0, {8, 1}, 2000, 10);  // 0 and 4 end first; 0 is the lower
  CHECK(slot_of(table, 0, 0, 10) == UINT32_MAX);
  CHECK(slot_of(table, 4, 0, 10) == 4);
  CHECK(slot_of(table, 8, 0, 10) == 8);
  table.remember(client(9), 0, {9, 1}, 2000, 1001);  // 1, 4 and 5 have run out
  CHECK(table.used() == 8);
  uint32_t next = 0;
  table.sweep(next, 0, 1, 64, 1001);
  CHECK(table.used() == 6);
  CHECK(slot_of(table, 9, 0, 1001) == 9);
  table.remember(client(4), 0, {4, 1}, 2000, 1001);
  CHECK(table.used() == 7);
}

TEST_CASE("the bucket is the one that the rule names") {
  // Nine clients of one bucket of a table of two: the ninth drives the first out.
  AffinityTable table(16);
  std::vector<uint32_t> same;
  for (uint32_t number = 0; same.size() < 9; number++) {
    const Address address = client(number);
    const be32 service = be32::from_host(77);
    const uint32_t hash = mix(crc32c(&service, 4, crc32c(address.bytes, 16)));
    if ((hash & 1) == 0) same.push_back(number);
  }
  for (uint32_t i = 0; i < 9; i++) table.remember(client(same[i]), 77, {i, 1}, 100 + i, 0);
  CHECK(table.used() == 8);
  CHECK(slot_of(table, same[0], 77, 0) == UINT32_MAX);
  for (uint32_t i = 1; i < 9; i++) CHECK(slot_of(table, same[i], 77, 0) == i);
}

TEST_CASE("the sweep goes round, a share at a time, over all workers") {
  AffinityTable table(256);
  for (uint32_t i = 0; i < 100; i++) table.remember(client(i), i, {i, 1}, 60, 0);
  const uint32_t made = table.used();  // a bucket may have overflowed
  uint32_t next[3] = {};
  for (uint32_t worker = 0; worker < 3; worker++) table.sweep(next[worker], worker, 3, 64, 59);
  CHECK(table.used() == made);
  CHECK(next[0] == 64);
  for (uint32_t round = 0; round < 2; round++) {
    for (uint32_t worker = 0; worker < 3; worker++) table.sweep(next[worker], worker, 3, 64, 60);
  }
  CHECK(table.used() == 0);
  CHECK(next[0] == (3 * 64) % 86);
  uint32_t none = 0;
  AffinityTable(0).sweep(none, 9, 10, 64, 60);  // more workers than places
  CHECK(none == 0);
}

TEST_CASE("two workers remember, ask and sweep at once") {
  AffinityTable table(64);
  std::atomic<uint32_t> errors{0};
  auto work = [&](uint32_t worker) {
    uint32_t next = 0;
    for (uint32_t i = 0; i < 50'000; i++) {
      const uint32_t number = i % 300;
      table.remember(client(number), 0, {number, number}, i + 3, i);
      const auto found = table.find(client(number), 0, i);
      if (found && (found->slot != number || found->serial != number)) errors.fetch_add(1);
      table.sweep(next, worker, 2, 4, i);
    }
  };
  std::thread other(work, 1);
  work(0);
  other.join();
  CHECK(errors.load() == 0);
  CHECK(table.used() > 0);
  uint32_t next = 0;
  table.sweep(next, 0, 1, table.places(), UINT32_MAX);
  CHECK(table.used() == 0);
}

}  // namespace sluice
