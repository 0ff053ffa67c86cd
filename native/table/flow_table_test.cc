// SPDX-License-Identifier: Apache-2.0
#include "table/flow_table.h"

#include <doctest/doctest.h>

#include <set>
#include <thread>

#include "packet/headers.h"

namespace sluice {
namespace {

FlowEntry entry(uint32_t source, uint32_t destination, uint16_t source_port,
                uint16_t destination_port, uint8_t protocol) {
  FlowEntry made{};
  made.key = {be32::from_host(source),
              be32::from_host(destination),
              be16::from_host(source_port),
              be16::from_host(destination_port),
              protocol,
              {}};
  return made;
}

struct Pair {
  FlowEntry forward, reply;
};

// The number-th connection, counted as its first packet at `now_s`.
Pair pair(uint32_t number, uint8_t protocol = kProtocolTcp, uint32_t now_s = 0) {
  const auto port = static_cast<uint16_t>(number);
  const uint32_t client = 0x0a000000 + (number >> 16);
  Pair made{entry(client, 0x0a600001, port, 80, protocol),
            entry(0x0af40001, client, 8080, port, protocol)};
  made.forward.last_seen = now_s;
  made.forward.packets = 1;
  made.forward.tcp_flags = protocol == kProtocolTcp ? kTcpSyn : 0;
  return made;
}

struct Table {
  explicit Table(uint32_t flows) : limits{.flows = flows, .timeouts = {}}, table(limits) {
    table.attach(cache);
  }
  uint32_t insert(const Pair& made) { return table.insert(cache, made.forward, made.reply); }
  uint32_t find(const FlowEntry& of) const { return table.find(of.key, flow_hash(of.key)); }
  void next_poll() {
    if (cache.seal(0)) cache.release();
  }

  Limits limits;
  FlowTable table;
  FlowCache cache;
};

}  // namespace

TEST_CASE("both directions are found, and gone together") {
  Table flows(64);
  const Pair made = pair(1), other = pair(2);
  CHECK(flows.find(made.forward) == kNoFlow);
  const uint32_t index = flows.insert(made);
  REQUIRE(index != kNoFlow);
  CHECK(index == 0);
  CHECK(flows.insert(other) == 2);
  CHECK(flows.find(made.forward) == index);
  CHECK(flows.find(made.reply) == index + 1);
  CHECK(flows.table.used() == 2);
  CHECK(flows.table.entry(index).alive == 1);

  CHECK(flows.table.remove(flows.cache, index + 1));
  CHECK_FALSE(flows.table.remove(flows.cache, index));
  CHECK(flows.find(made.forward) == kNoFlow);
  CHECK(flows.find(made.reply) == kNoFlow);
  CHECK(flows.find(other.reply) == 3);
  CHECK(flows.table.used() == 1);
}

TEST_CASE("a key that is there already is not inserted again") {
  Table flows(64);
  const Pair made = pair(1);
  REQUIRE(flows.insert(made) == 0);
  CHECK(flows.insert(made) == kNoFlow);
  Pair same_reply = pair(2);
  same_reply.reply.key = made.reply.key;
  CHECK(flows.insert(same_reply) == kNoFlow);
  CHECK(flows.find(same_reply.forward) == kNoFlow);
  CHECK(flows.table.used() == 1);
  CHECK(flows.insert(pair(3)) == 2);  // nothing was lost on the way
}

TEST_CASE("pairs that were freed come back in the next poll, the last freed first") {
  Table flows(4);
  for (uint32_t i = 0; i < 4; i++) REQUIRE(flows.insert(pair(i)) == 2 * i);
  CHECK(flows.insert(pair(9)) == kNoFlow);
  flows.table.remove(flows.cache, 2);
  flows.table.remove(flows.cache, 6);
  CHECK(flows.insert(pair(9)) == kNoFlow);
  flows.next_poll();
  CHECK(flows.insert(pair(9)) == 6);
  CHECK(flows.insert(pair(10)) == 2);
  CHECK(flows.insert(pair(11)) == kNoFlow);
}

TEST_CASE("a stack through the shared list, too: many pairs, in order") {
  Table flows(5000);
  for (uint32_t i = 0; i < 5000; i++) REQUIRE(flows.insert(pair(i)) == 2 * i);
  CHECK(flows.table.used() == 5000);
  for (uint32_t i = 0; i < 5000; i++) REQUIRE(flows.table.remove(flows.cache, 2 * i));
  flows.next_poll();
  CHECK(flows.table.sweep(flows.cache, 0, 64, 0) == 0);  // gives the surplus back
  CHECK(flows.cache.free.size() < 1000);
  for (uint32_t i = 0; i < 5000; i++) REQUIRE(flows.insert(pair(i)) == 2 * (4999 - i));
}

TEST_CASE("a full table takes no more, and what it holds is found") {
  constexpr uint32_t kFlows = 3 * 1024;  // six of eight places at best
  Table flows(kFlows);
  std::set<uint32_t> inserted;
  for (uint32_t i = 0; i < kFlows + 100; i++) {
    if (flows.insert(pair(i)) != kNoFlow) inserted.insert(i);
  }
  CHECK(inserted.size() > kFlows * 95 / 100);
  CHECK(flows.table.used() == inserted.size());
  for (uint32_t i = 0; i < kFlows + 100; i++) {
    REQUIRE((flows.find(pair(i).forward) != kNoFlow) == inserted.contains(i));
    REQUIRE((flows.find(pair(i).reply) != kNoFlow) == inserted.contains(i));
  }
}

TEST_CASE("the smallest tables work: both buckets may be one") {
  for (uint32_t capacity : {0u, 1u, 2u, 5u}) {
    Table flows(capacity);
    for (uint32_t round = 0; round < 50; round++) {
      uint32_t made = 0;
      for (uint32_t i = 0; i < 8; i++) made += flows.insert(pair(round * 8 + i)) != kNoFlow;
      REQUIRE(made <= capacity);
      for (uint32_t i = 0; i < capacity; i++) flows.table.remove(flows.cache, 2 * i);
      REQUIRE(flows.table.used() == 0);
      flows.next_poll();
      flows.table.sweep(flows.cache, 0, 64, 0);
    }
  }
}

TEST_CASE("the state follows packets and flags of both sides, and each has its timeout") {
  Table flows(64);
  FlowTable& table = flows.table;
  const FlowTimeouts timeouts;
  auto expires_at = [&](uint32_t index, uint32_t seconds) {
    return !table.expired(index, seconds - 1) && table.expired(index, seconds);
  };

  const uint32_t tcp = flows.insert(pair(1, kProtocolTcp, 100));
  CHECK(table.state(tcp) == FlowState::unreplied);
  CHECK(expires_at(tcp, 100 + timeouts.tcp_unreplied));
  table.count(tcp + 1, 110, 60, kTcpSyn | kTcpAck);
  CHECK(table.state(tcp) == FlowState::established);
  CHECK(expires_at(tcp + 1, 110 + timeouts.tcp_established));
  table.count(tcp, 120, 60, kTcpFin | kTcpAck);
  CHECK(table.state(tcp + 1) == FlowState::close_wait);
  CHECK(expires_at(tcp, 120 + timeouts.tcp_close_wait));
  table.count(tcp + 1, 119, 60, kTcpFin);
  CHECK(table.state(tcp) == FlowState::closed);
  CHECK(expires_at(tcp, 120 + timeouts.tcp_closed));
  CHECK(table.entry(tcp).packets == 2);
  CHECK(table.entry(tcp + 1).bytes == 120);

  const uint32_t reset = flows.insert(pair(2, kProtocolTcp, 100));
  table.count(reset + 1, 100, 40, kTcpRst);
  CHECK(table.state(reset) == FlowState::closed);

  const uint32_t udp = flows.insert(pair(3, kProtocolUdp, 100));
  CHECK(expires_at(udp, 100 + timeouts.udp_unreplied));
  table.count(udp + 1, 100, 40, 0);
  CHECK(table.state(udp) == FlowState::established);
  CHECK(expires_at(udp, 100 + timeouts.udp_stream));
  CHECK_FALSE(table.expired(udp, 50));  // another worker's clock
}

TEST_CASE("the sweep goes round, a share at a time") {
  Table flows(100);
  for (uint32_t i = 0; i < 100; i++) flows.insert(pair(i, kProtocolUdp, i < 50 ? 0 : 1000));
  CHECK(flows.table.sweep(flows.cache, 0, 64, 1000) == 50);
  CHECK(flows.cache.sweep_next == 64);
  CHECK(flows.table.sweep(flows.cache, 0, 64, 2000) == 36);
  CHECK(flows.cache.sweep_next == 28);
  CHECK(flows.table.sweep(flows.cache, 0, 64, 2000) == 14);
  CHECK(flows.table.used() == 0);
}

TEST_CASE("workers share the sweep and the pairs") {
  FlowTable table({.workers = 3, .flows = 100, .timeouts = {}});
  FlowCache caches[3];
  for (FlowCache& cache : caches) table.attach(cache);
  uint32_t made = 0;
  while (true) {
    const Pair next = pair(made, kProtocolUdp);
    if (table.insert(caches[made % 3], next.forward, next.reply) == kNoFlow) break;
    made++;
  }
  CHECK(made > 80);
  uint32_t swept = 0;
  for (uint32_t worker = 0; worker < 3; worker++) {
    swept += table.sweep(caches[worker], worker, 64, 1000);
  }
  CHECK(swept == made);
}

TEST_CASE("two workers insert, find and remove at once") {
  constexpr uint32_t kEach = 4000, kRounds = 20;
  FlowTable table({.workers = 2, .flows = 4 * kEach, .timeouts = {}});
  std::atomic<uint32_t> errors{0};
  std::atomic<uint32_t> arrived{0};
  auto barrier = [&](uint32_t phase) {
    arrived.fetch_add(1);
    while (arrived.load() < 2 * phase) std::this_thread::yield();
  };
  auto work = [&](uint32_t worker) {
    FlowCache cache;
    table.attach(cache);
    uint32_t phase = 0;
    for (uint32_t round = 0; round < kRounds; round++) {
      std::vector<uint32_t> mine;
      for (uint32_t i = 0; i < kEach; i++) {
        // Every second connection is one that the other worker wants as well.
        const uint32_t number = i % 2 ? i : (worker << 16 | i);
        const Pair made = pair(number, kProtocolUdp);
        const uint32_t index = table.insert(cache, made.forward, made.reply);
        if (index != kNoFlow) mine.push_back(index);
        const uint32_t found = table.find(made.forward.key, flow_hash(made.forward.key));
        const uint32_t back = table.find(made.reply.key, flow_hash(made.reply.key));
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
      table.sweep(cache, worker, 64, 0);
    }
  };
  std::thread other(work, 1);
  work(0);
  other.join();
  CHECK(errors.load() == 0);
  CHECK(table.used() == 0);
}

}  // namespace sluice
