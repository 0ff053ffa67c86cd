// SPDX-License-Identifier: Apache-2.0
// What a flow table gives up for want of room: docs/packet-path.md, "Tables".
#include <doctest/doctest.h>

#include "testing/flows.h"

namespace sluice {
namespace {

using Flows = TestFlows<Ipv4>;

// Numbers of connections whose forward entry may be in no other buckets than that of number 0; the
// reply of each goes its own way.
std::vector<uint32_t> neighbours_of_first(uint32_t mask, uint32_t count) {
  auto buckets = [&](uint32_t number) {
    const uint32_t hash = flow_hash(connection<Ipv4>(number).forward.key.tuple());
    const uint32_t first = hash & mask;
    const uint32_t second = (hash ^ (((hash >> 16) + 1) * 0x5bd1e995u)) & mask;
    return std::pair(std::min(first, second), std::max(first, second));
  };
  std::vector<uint32_t> found;
  for (uint32_t number = 0; found.size() < count; number++) {
    if (buckets(number) == buckets(0)) found.push_back(number);
  }
  return found;
}

}  // namespace

TEST_CASE("below the low water mark every insertion gives up one embryonic connection") {
  Flows flows(64);  // low water: 16
  for (uint32_t i = 0; i < 49; i++) REQUIRE(flows.insert(connection<Ipv4>(i), 0) == 2 * i);
  CHECK(flows.removals.evicted == 0);  // with 16 free ones it was not below yet
  CHECK(flows.table.free_pairs(flows.cache) == 15);
  CHECK(flows.cache.hand == 0);
  CHECK(flows.insert(connection<Ipv4>(49)) == 2 * 49);
  CHECK(flows.removals.evicted == 1);
  CHECK(flows.cache.hand == 1);
  CHECK(flows.find(connection<Ipv4>(0).forward) == kNoFlow);
  CHECK(flows.insert(connection<Ipv4>(50)) == 2 * 50);
  CHECK(flows.removals.evicted == 2);
  CHECK(flows.find(connection<Ipv4>(1).forward) == kNoFlow);
  // What was given up is free from the next poll on: 15 - 2 taken + 2 given back.
  flows.next_poll();
  CHECK(flows.insert(connection<Ipv4>(51)) == 2);
}

TEST_CASE("the hand passes over what is established, and takes what has expired as such") {
  Flows flows(64);
  const Timeouts timeouts;
  for (uint32_t i = 0; i < 49; i++) {
    auto made = established<Ipv4>(i, kProtocolTcp, 1000);
    if (i == 20) made = established<Ipv4>(i, kProtocolUdp, 1000 - timeouts.udp_stream);
    if (i == 30) made = connection<Ipv4>(i, kProtocolUdp, 1000);
    flows.insert(made, 1000);
  }
  flows.insert(established<Ipv4>(100, kProtocolTcp, 1000), 1000);
  CHECK(flows.removals.expired == 1);
  CHECK(flows.cache.hand == 21);
  flows.insert(established<Ipv4>(101, kProtocolTcp, 1000), 1000);
  CHECK(flows.removals.evicted == 1);
  CHECK(flows.cache.hand == 31);
  flows.insert(established<Ipv4>(102, kProtocolTcp, 1000), 1000);
  CHECK(flows.removals.evicted == 1);  // round once, and nothing found
  CHECK(flows.cache.hand == 31);
}

TEST_CASE("the hand looks at 64 pairs an insertion") {
  Flows flows(1200);  // low water: 256
  for (uint32_t i = 0; i < 945; i++) {
    flows.insert(i == 100 ? connection<Ipv4>(i) : established<Ipv4>(i));
  }
  flows.insert(established<Ipv4>(2000));
  CHECK(flows.cache.hand == 64);
  CHECK(flows.removals.evicted == 0);
  flows.insert(established<Ipv4>(2001));
  CHECK(flows.cache.hand == 101);
  CHECK(flows.removals.evicted == 1);
}

TEST_CASE("without a free pair an insertion fails, but has given one up for the next poll") {
  Flows flows(64);
  uint32_t number = 0;
  for (; number < 63; number++) flows.insert(established<Ipv4>(number));
  flows.insert(connection<Ipv4>(number++));
  CHECK(flows.table.used() == 64);
  CHECK(flows.try_insert(connection<Ipv4>(number)).outcome == InsertOutcome::full);
  CHECK(flows.removals.evicted == 1);
  CHECK(flows.try_insert(connection<Ipv4>(number)).outcome == InsertOutcome::full);
  CHECK(flows.removals.evicted == 1);
  flows.next_poll();
  CHECK(flows.insert(established<Ipv4>(number)) == 2 * 63);
}

TEST_CASE("full buckets give way to the oldest that may go") {
  constexpr uint32_t kFlows = 3000, kMask = 1023;
  Flows flows(kFlows);
  const auto numbers = neighbours_of_first(kMask, 18);
  for (uint32_t i = 0; i < 16; i++) {  // all places of both buckets
    const bool may_go = i == 5 || i == 9;
    auto made = may_go ? connection<Ipv4>(numbers[i]) : established<Ipv4>(numbers[i]);
    made.forward.last_seen = made.reply.last_seen = 1000 + i;
    REQUIRE(flows.insert(made, 1000) == 2 * i);
  }
  CHECK(flows.removals.evicted == 0);
  CHECK(flows.insert(established<Ipv4>(numbers[16], kProtocolTcp, 1020), 1020) == 2 * 16);
  CHECK(flows.removals.evicted == 1);
  CHECK(flows.find(connection<Ipv4>(numbers[5]).forward) == kNoFlow);
  CHECK(flows.find(connection<Ipv4>(numbers[5]).reply) == kNoFlow);
  CHECK(flows.insert(established<Ipv4>(numbers[17], kProtocolTcp, 1020), 1020) == 2 * 17);
  CHECK(flows.find(connection<Ipv4>(numbers[9]).forward) == kNoFlow);
  const auto last = neighbours_of_first(kMask, 19).back();
  CHECK(flows.try_insert(established<Ipv4>(last), 1020).outcome == InsertOutcome::full);
  CHECK(flows.removals.evicted == 2);
  CHECK(flows.table.used() == 16);

  // An expired one goes as well, whatever it was.
  const Timeouts timeouts;
  CHECK(flows.insert(established<Ipv4>(last), 1000 + timeouts.tcp_established) == 2 * 18);
  CHECK(flows.removals.expired == 1);
  CHECK(flows.find(connection<Ipv4>(numbers[0]).forward) == kNoFlow);
}

TEST_CASE("equally old ones go in the order of their places") {
  Flows flows(3000);
  const auto numbers = neighbours_of_first(1023, 17);
  for (uint32_t i = 0; i < 16; i++) flows.insert(connection<Ipv4>(numbers[i]));
  const uint32_t hash = flow_hash(connection<Ipv4>(numbers[16]).forward.key.tuple());
  flows.insert(connection<Ipv4>(numbers[16]));
  uint32_t gone = 0;
  while (flows.find(connection<Ipv4>(numbers[gone]).forward) != kNoFlow) gone++;
  // The first in the bucket that is primary for the new one: the first that chose that bucket.
  uint32_t expected = 0;
  const uint32_t first_hash = flow_hash(connection<Ipv4>(numbers[0]).forward.key.tuple());
  if ((first_hash & 1023) != (hash & 1023)) expected = 1;
  CHECK(gone == expected);
}

TEST_CASE("two workers in turns under pressure keep the table whole") {
  constexpr uint32_t kFlows = 2000, kEach = 60'000;
  FlowTable<Ipv6> table(kFlows, 2, {});
  FlowCache caches[2];
  for (FlowCache& cache : caches) table.attach(cache);
  uint32_t made = 0, removed = 0;
  for (uint32_t i = 0; i < kEach; i++) {
    FlowCache& cache = caches[i % 2];
    Removals removals;
    const auto next = i % 5 ? connection<Ipv6>(i) : established<Ipv6>(i);
    made += table.insert(cache, i % 2, i / 1000, next.forward, next.reply, removals).outcome ==
            InsertOutcome::made;
    removed += removals.evicted + removals.expired;
    if (i % 64 != 0) continue;
    for (FlowCache& each : caches) {
      if (each.seal(0)) each.release();
    }
  }
  CHECK(made > kFlows);
  CHECK(table.used() == made - removed);
  uint32_t alive = 0;
  for (uint32_t pair = 0; pair < kFlows; pair++) alive += table.alive(2 * pair);
  CHECK(alive == table.used());
}

}  // namespace sluice
