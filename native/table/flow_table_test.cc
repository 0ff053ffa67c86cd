// SPDX-License-Identifier: Apache-2.0
#include "table/flow_table.h"

#include <doctest/doctest.h>

#include <set>
#include <thread>

#include "packet/headers.h"
#include "testing/flows.h"

namespace sluice {

TEST_CASE_TEMPLATE("both directions are found, and gone together", F, Ipv4, Ipv6) {
  TestFlows<F> flows(64);
  const auto made = connection<F>(1), other = connection<F>(2);
  CHECK(flows.find(made.forward) == kNoFlow);
  const uint32_t index = flows.insert(made);
  REQUIRE(index != kNoFlow);
  CHECK(index == 0);
  CHECK(flows.insert(other) == 2);
  CHECK(flows.find(made.forward) == index);
  CHECK(flows.find(made.reply) == index + 1);
  CHECK(flows.table.used() == 2);
  CHECK(flows.table.alive(index + 1));
  CHECK(flows.table.entry(index).backend_serial == made.forward.backend_serial);
  CHECK(flows.table.entry(index + 1).source == made.reply.source);

  CHECK(flows.table.remove(flows.cache, index + 1));
  CHECK_FALSE(flows.table.remove(flows.cache, index));
  CHECK_FALSE(flows.table.alive(index));
  CHECK(flows.find(made.forward) == kNoFlow);
  CHECK(flows.find(made.reply) == kNoFlow);
  CHECK(flows.find(other.reply) == 3);
  CHECK(flows.table.used() == 1);
}

TEST_CASE_TEMPLATE("a key that is there already is not inserted again", F, Ipv4, Ipv6) {
  TestFlows<F> flows(64);
  const auto made = connection<F>(1);
  REQUIRE(flows.insert(made) == 0);
  CHECK(flows.try_insert(made).outcome == InsertOutcome::taken);
  auto same_reply = connection<F>(2);
  same_reply.reply.key = made.reply.key;
  CHECK(flows.try_insert(same_reply).outcome == InsertOutcome::taken);
  CHECK(flows.find(same_reply.forward) == kNoFlow);
  CHECK(flows.table.used() == 1);
  CHECK(flows.insert(connection<F>(3)) == 2);  // nothing was lost on the way
}

TEST_CASE("every byte of an IPv6 key counts") {
  TestFlows<Ipv6> flows(64);
  const auto made = connection<Ipv6>(1);
  REQUIRE(flows.insert(made) == 0);
  const uint32_t hash = flow_hash(made.forward.key.tuple());
  for (size_t at = 0; at < sizeof(made.forward.key); at++) {
    auto key = made.forward.key.tuple();
    reinterpret_cast<uint8_t*>(&key)[at] ^= 1;
    REQUIRE(flows.table.find(key, hash) == kNoFlow);
  }
}

TEST_CASE("pairs that were freed come back in the next poll, the last freed first") {
  TestFlows<Ipv4> flows(3);  // too small for pressure: a quarter of it is nothing
  for (uint32_t i = 0; i < 3; i++) REQUIRE(flows.insert(connection<Ipv4>(i)) == 2 * i);
  CHECK(flows.try_insert(connection<Ipv4>(9)).outcome == InsertOutcome::full);
  flows.table.remove(flows.cache, 2);
  flows.table.remove(flows.cache, 4);
  CHECK(flows.try_insert(connection<Ipv4>(9)).outcome == InsertOutcome::full);
  flows.next_poll();
  CHECK(flows.insert(connection<Ipv4>(9)) == 4);
  CHECK(flows.insert(connection<Ipv4>(10)) == 2);
  CHECK(flows.try_insert(connection<Ipv4>(11)).outcome == InsertOutcome::full);
  CHECK(flows.removals.evicted == 0);
}

TEST_CASE("a stack through the shared list, too: many pairs, in order") {
  TestFlows<Ipv4> flows(5000);
  for (uint32_t i = 0; i < 5000; i++) REQUIRE(flows.insert(established<Ipv4>(i)) == 2 * i);
  CHECK(flows.table.used() == 5000);
  for (uint32_t i = 0; i < 5000; i++) REQUIRE(flows.table.remove(flows.cache, 2 * i));
  flows.next_poll();
  CHECK(flows.sweep(0).expired == 0);  // gives the surplus back
  CHECK(flows.cache.free.size() < 1000);
  for (uint32_t i = 0; i < 5000; i++) REQUIRE(flows.insert(established<Ipv4>(i)) == 2 * (4999 - i));
}

TEST_CASE_TEMPLATE("a full table takes no more, and what it holds is found", F, Ipv4, Ipv6) {
  constexpr uint32_t kFlows = 3 * 1024;  // six of eight places at best
  TestFlows<F> flows(kFlows);
  std::set<uint32_t> inserted;
  for (uint32_t i = 0; i < kFlows + 100; i++) {
    if (flows.insert(established<F>(i)) != kNoFlow) inserted.insert(i);
  }
  CHECK(inserted.size() > kFlows * 95 / 100);
  CHECK(flows.table.used() == inserted.size());
  for (uint32_t i = 0; i < kFlows + 100; i++) {
    REQUIRE((flows.find(connection<F>(i).forward) != kNoFlow) == inserted.contains(i));
    REQUIRE((flows.find(connection<F>(i).reply) != kNoFlow) == inserted.contains(i));
  }
  CHECK(flows.removals.evicted + flows.removals.expired == 0);
}

TEST_CASE("the smallest tables work: both buckets may be one") {
  for (uint32_t capacity : {0u, 1u, 2u, 5u}) {
    TestFlows<Ipv4> flows(capacity);
    for (uint32_t round = 0; round < 50; round++) {
      uint32_t made = 0;
      for (uint32_t i = 0; i < 8; i++) {
        made += flows.insert(connection<Ipv4>(round * 8 + i)) != kNoFlow;
      }
      REQUIRE(made <= capacity);
      for (uint32_t i = 0; i < capacity; i++) flows.table.remove(flows.cache, 2 * i);
      REQUIRE(flows.table.used() == 0);
      flows.next_poll();
      flows.sweep(0);
    }
  }
}

TEST_CASE_TEMPLATE("packets are counted, and what they mean decides when the pair expires", F, Ipv4,
                   Ipv6) {
  TestFlows<F> flows(64);
  FlowTable<F>& table = flows.table;
  const Timeouts timeouts;
  auto expires_at = [&](uint32_t index, uint32_t seconds) {
    return !table.expired(index, seconds - 1) && table.expired(index, seconds);
  };
  const uint32_t tcp = flows.insert(connection<F>(1, kProtocolTcp, 100));
  CHECK(table.expendable(tcp));
  CHECK(expires_at(tcp, 100 + timeouts.tcp_unreplied));
  table.count(tcp + 1, 110, 60, kTcpSyn | kTcpAck);
  CHECK(table.state(tcp) == FlowState::syn_received);
  CHECK(table.expendable(tcp + 1));
  CHECK(expires_at(tcp, 110 + timeouts.tcp_syn_received));
  table.count(tcp, 110, 52, kTcpAck);
  CHECK(table.state(tcp + 1) == FlowState::established);
  CHECK_FALSE(table.expendable(tcp));
  CHECK(expires_at(tcp + 1, 110 + timeouts.tcp_established));
  table.count(tcp, 120, 60, kTcpFin | kTcpAck);
  CHECK(expires_at(tcp, 120 + timeouts.tcp_close_wait));
  table.count(tcp + 1, 119, 60, kTcpFin);
  CHECK(expires_at(tcp, 120 + timeouts.tcp_time_wait));
  CHECK(table.entry(tcp).packets == 3);
  CHECK(table.entry(tcp + 1).bytes == 120);
  CHECK_FALSE(table.expired(tcp, 50));  // another worker's clock
}

TEST_CASE("a reset counts until its sender goes on speaking") {
  TestFlows<Ipv4> flows(64);
  const uint32_t tcp = flows.insert(established<Ipv4>(1));
  flows.table.count(tcp + 1, 100, 40, kTcpRst);
  CHECK(flows.table.state(tcp) == FlowState::closed);
  flows.table.count(tcp, 100, 40, kTcpAck);  // the other side
  CHECK(flows.table.state(tcp) == FlowState::closed);
  flows.table.count(tcp + 1, 100, 40, kTcpSyn);
  CHECK(flows.table.state(tcp) == FlowState::closed);
  flows.table.count(tcp + 1, 100, 40, kTcpRst | kTcpAck);
  CHECK(flows.table.state(tcp) == FlowState::closed);
  flows.table.count(tcp + 1, 101, 40, kTcpAck);
  CHECK(flows.table.state(tcp) == FlowState::established);
  CHECK((flows.table.entry(tcp + 1).tcp_flags & kTcpSyn) != 0);
}

TEST_CASE("the sweep goes round, a share at a time") {
  TestFlows<Ipv4> flows(100);
  for (uint32_t i = 0; i < 100; i++) {
    flows.insert(established<Ipv4>(i, kProtocolUdp, i < 50 ? 0 : 1000));
  }
  CHECK(flows.sweep(1000).expired == 50);
  CHECK(flows.cache.sweep_next == 64);
  CHECK(flows.sweep(2000).expired == 36);
  CHECK(flows.cache.sweep_next == 28);
  CHECK(flows.sweep(2000).expired == 14);
  CHECK(flows.table.used() == 0);
}

TEST_CASE("the sweep clears what its caller says is stale, after what has expired") {
  TestFlows<Ipv4> flows(64);
  for (uint32_t i = 0; i < 4; i++) {
    auto made = established<Ipv4>(i, kProtocolUdp, i == 0 ? 0 : 1000);
    made.forward.backend_slot = i % 2;
    flows.insert(made);
  }
  const Removals removals =
      flows.table.sweep(flows.cache, 0, 64, 1000,
                        [](const FlowEntry<Ipv4>& entry) { return entry.backend_slot == 0; });
  CHECK(removals.expired == 1);
  CHECK(removals.cleared == 1);
  CHECK(removals.evicted == 0);
  CHECK(flows.table.used() == 2);
}

TEST_CASE("workers share the sweep and the pairs") {
  FlowTable<Ipv4> table(100, 3, {});
  FlowCache caches[3];
  for (FlowCache& cache : caches) table.attach(cache);
  Removals removals;
  uint32_t made = 0;
  while (true) {
    const auto next = established<Ipv4>(made, kProtocolUdp);
    const Inserted inserted =
        table.insert(caches[made % 3], made % 3, 0, next.forward, next.reply, removals);
    if (inserted.outcome != InsertOutcome::made) break;
    made++;
  }
  CHECK(made > 80);
  uint32_t swept = 0;
  for (uint32_t worker = 0; worker < 3; worker++) {
    swept +=
        table.sweep(caches[worker], worker, 64, 1000, [](const auto&) { return false; }).expired;
  }
  CHECK(swept == made);
}

TEST_CASE("two workers insert, find and remove at once") {
  constexpr uint32_t kEach = 4000, kRounds = 20;
  FlowTable<Ipv4> table(4 * kEach, 2, {});
  std::atomic<uint32_t> errors{0};
  std::atomic<uint32_t> arrived{0};
  auto barrier = [&](uint32_t phase) {
    arrived.fetch_add(1);
    while (arrived.load() < 2 * phase) std::this_thread::yield();
  };
  auto work = [&](uint32_t worker) {
    FlowCache cache;
    table.attach(cache);
    Removals removals;
    uint32_t phase = 0;
    for (uint32_t round = 0; round < kRounds; round++) {
      std::vector<uint32_t> mine;
      for (uint32_t i = 0; i < kEach; i++) {
        // Every second connection is one that the other worker wants as well.
        const auto made = connection<Ipv4>(i % 2 ? i : (worker << 16 | i), kProtocolUdp);
        const Inserted inserted =
            table.insert(cache, worker, 0, made.forward, made.reply, removals);
        if (inserted.outcome == InsertOutcome::made) mine.push_back(inserted.index);
        if (inserted.outcome == InsertOutcome::full) errors.fetch_add(1);
        const uint32_t found =
            table.find(made.forward.key.tuple(), flow_hash(made.forward.key.tuple()));
        const uint32_t back = table.find(made.reply.key.tuple(), flow_hash(made.reply.key.tuple()));
        if (found == kNoFlow || back != (found ^ 1)) errors.fetch_add(1);
      }
      barrier(++phase);
      if (table.used() != kEach + kEach / 2) errors.fetch_add(1);
      barrier(++phase);
      for (uint32_t index : mine) {
        if (!table.remove(cache, index)) errors.fetch_add(1);
      }
      barrier(++phase);  // both have left the entries: a quiescent state
      cache.seal(0);
      cache.release();
      table.sweep(cache, worker, 64, 0, [](const auto&) { return false; });
    }
    if (removals.evicted + removals.expired != 0) errors.fetch_add(1);
  };
  std::thread other(work, 1);
  work(0);
  other.join();
  CHECK(errors.load() == 0);
  CHECK(table.used() == 0);
}

}  // namespace sluice
