// SPDX-License-Identifier: Apache-2.0
// The rules of docs/program.md: each is broken once, and named by code and path.
#include <doctest/doctest.h>

#include <random>

#include "testing/program.h"

namespace sluice {
namespace {

// Makes the last address of a column the unspecified one.
void unspecify(std::vector<uint8_t>& column) { std::fill(column.end() - 16, column.end(), 0); }

constexpr uint32_t kTooMany = 1 << 20;

}  // namespace

TEST_CASE("frontends") {
  const auto plain = [](Delta& d, uint32_t slot, uint16_t port = 1) -> Delta& {
    return d.frontend(slot, ip(10, 96, 0, 9), port, kProtocolTcp, 0);
  };
  refuses({
      {"ERR_PROGRAM frontends.address", [](Delta& d) { d.frontends.address.pop_back(); }},
      {"ERR_PROGRAM frontends.port", [](Delta& d) { d.frontends.port.push_back(1); }},
      {"ERR_PROGRAM frontends.protocol", [](Delta& d) { d.frontends.protocol.clear(); }},
      {"ERR_PROGRAM frontends.kind", [](Delta& d) { d.frontends.kind.pop_back(); }},
      {"ERR_PROGRAM frontends.service", [](Delta& d) { d.frontends.service.pop_back(); }},
      {"ERR_PROGRAM frontends.podPool", [](Delta& d) { d.frontends.podPool.pop_back(); }},
      {"ERR_PROGRAM frontends.nodePool", [](Delta& d) { d.frontends.nodePool.pop_back(); }},
      {"ERR_PROGRAM frontends.outsidePool", [](Delta& d) { d.frontends.outsidePool.pop_back(); }},
      {"ERR_PROGRAM frontends.masquerade", [](Delta& d) { d.frontends.masquerade.pop_back(); }},
      {"ERR_PROGRAM frontends.affinity", [](Delta& d) { d.frontends.affinity.pop_back(); }},
      {"ERR_PROGRAM frontends.rangesFirst", [](Delta& d) { d.frontends.rangesFirst.pop_back(); }},
      {"ERR_PROGRAM frontends.rangesCount", [](Delta& d) { d.frontends.rangesCount.pop_back(); }},
      {"ERR_CAPACITY frontends.slot[3]", [&](Delta& d) { plain(d, kTooMany); }},
      {"ERR_PROGRAM frontends.slot[3]", [&](Delta& d) { plain(d, 1); }},
      {"ERR_PROGRAM frontends.address[2]", [](Delta& d) { unspecify(d.frontends.address); }},
      {"ERR_PROGRAM frontends.protocol[0]", [](Delta& d) { d.frontends.protocol[0] = 47; }},
      {"ERR_PROGRAM frontends.protocol[0]", [](Delta& d) { d.frontends.protocol[0] = 1; }},
      {"ERR_PROGRAM frontends.protocol[3]",
       [](Delta& d) { d.frontend(3, ip(10, 96, 0, 1), 0, kProtocolIcmpv6, 0); }},
      {"ERR_PROGRAM frontends.protocol[3]",
       [](Delta& d) { d.frontend(3, ip6("fd00::1"), 0, kProtocolIcmp, 0); }},
      {"ERR_PROGRAM frontends.kind[1]", [](Delta& d) { d.frontends.kind[1] = 3; }},
      {"ERR_CAPACITY frontends.service[1]", [](Delta& d) { d.frontends.service[1] = kTooMany; }},
      {"ERR_PROGRAM frontends.podPool[1]", [](Delta& d) { d.frontends.podPool[1] = 7; }},
      {"ERR_PROGRAM frontends.nodePool[1]", [](Delta& d) { d.frontends.nodePool[1] = 7; }},
      {"ERR_PROGRAM frontends.outsidePool[1]",
       [](Delta& d) { d.frontends.outsidePool[1] = UINT32_MAX; }},
      {"ERR_PROGRAM frontends.masquerade[2]", [](Delta& d) { d.frontends.masquerade[2] = 8; }},
      {"ERR_PROGRAM frontends.rangesFirst[0]", [](Delta& d) { d.frontends.rangesFirst[0] = 1; }},
      {"ERR_PROGRAM frontends.rangesCount[0]", [](Delta& d) { d.frontends.rangesCount[0] = 2; }},
      {"ERR_PROGRAM frontends.rangesCount[0]",
       [](Delta& d) { d.frontends.rangesCount[0] = UINT32_MAX; }},
      {"ERR_PROGRAM frontends.address[3]",
       [](Delta& d) { d.frontend(3, ip(10, 96, 0, 1), 80, kProtocolTcp, 0); }},
      {"ERR_PROGRAM ranges.prefix", [](Delta& d) { d.ranges.prefix.pop_back(); }},
      {"ERR_PROGRAM ranges.length[0]", [](Delta& d) { d.ranges.length[0] = 33; }},
      {"ERR_PROGRAM ranges.prefix[1]",
       [](Delta& d) {
         append(d.ranges, {ip6("fd00::8000"), 112});
       }},
  });
}

TEST_CASE("echo and SCTP are protocols of a service; without ranges rangesFirst may be anything") {
  TestProgram program;
  Delta delta = sound_delta();
  delta.frontend(3, ip(10, 96, 0, 1), 0, kProtocolIcmp, 0)
      .frontend(4, ip6("fd00:96::1"), 0, kProtocolIcmpv6, 2)
      .frontend(5, ip6("fd00:96::1"), 80, kProtocolSctp, 2)
      .frontend(6, ip(10, 96, 0, 1), 0, kProtocolTcp, 0);
  delta.frontends.rangesFirst.back() = 4000;
  CHECK(program.commit(delta) == "");
}

TEST_CASE("backends") {
  refuses({
      {"ERR_PROGRAM backends.address", [](Delta& d) { d.backends.address.push_back(0); }},
      {"ERR_PROGRAM backends.port", [](Delta& d) { d.backends.port.pop_back(); }},
      {"ERR_PROGRAM backends.service", [](Delta& d) { d.backends.service.pop_back(); }},
      {"ERR_PROGRAM backends.flushed", [](Delta& d) { d.backends.flushed.pop_back(); }},
      {"ERR_CAPACITY backends.slot[3]", [](Delta& d) { d.backend(64, ip(10, 244, 0, 9), 1); }},
      {"ERR_PROGRAM backends.slot[3]", [](Delta& d) { d.backend(0, ip(10, 244, 0, 9), 1); }},
      {"ERR_PROGRAM backends.address[2]", [](Delta& d) { unspecify(d.backends.address); }},
      {"ERR_CAPACITY backends.service[2]", [](Delta& d) { d.backends.service[2] = kTooMany; }},
      {"ERR_PROGRAM backends.flushed[1]", [](Delta& d) { d.backends.flushed[1] = 2; }},
      {"ERR_PROGRAM backends.group", [](Delta& d) { d.backends.group.pop_back(); }},
      {"ERR_PROGRAM backends.group[1]", [](Delta& d) { d.backends.group[1] = 7; }},
  });
}

TEST_CASE("pools and members") {
  refuses({
      {"ERR_PROGRAM pools.first", [](Delta& d) { d.pools.first.pop_back(); }},
      {"ERR_PROGRAM pools.count", [](Delta& d) { d.pools.count.push_back(0); }},
      {"ERR_PROGRAM pools.silent", [](Delta& d) { d.pools.silent.push_back(0); }},
      {"ERR_CAPACITY pools.slot[3]", [](Delta& d) { d.pool(kTooMany, {}); }},
      {"ERR_PROGRAM pools.slot[3]", [](Delta& d) { d.pool(0, {}); }},
      {"ERR_PROGRAM pools.first[2]", [](Delta& d) { d.pools.first[2] = 4; }},
      {"ERR_PROGRAM pools.first[1]", [](Delta& d) { d.pools.first[1] = UINT32_MAX; }},
      {"ERR_PROGRAM pools.count[2]", [](Delta& d) { d.pools.count[2] = 2; }},
      {"ERR_PROGRAM pools.count[0]", [](Delta& d) { d.pools.count[0] = UINT32_MAX; }},
      {"ERR_PROGRAM pools.first[1]", [](Delta& d) { d.pools.first[1] = 1; }},
      {"ERR_PROGRAM pools.silent[2]", [](Delta& d) { d.pools.silent[2] = 2; }},
      {"ERR_PROGRAM members.weight", [](Delta& d) { d.members.weight.pop_back(); }},
      {"ERR_PROGRAM members.backend[3]", [](Delta& d) { d.members.backend[3] = 9; }},
      {"ERR_PROGRAM members.backend[1]", [](Delta& d) { d.members.backend[1] = 1; }},
      {"ERR_PROGRAM members.backend[4]",  // though no pool refers to it
       [](Delta& d) {
         d.members.backend.push_back(UINT32_MAX);
         d.members.weight.push_back(1);
       }},
  });
}

TEST_CASE("groups and next hops") {
  refuses({
      {"ERR_PROGRAM groups.first", [](Delta& d) { d.groups.first.pop_back(); }},
      {"ERR_PROGRAM groups.count", [](Delta& d) { d.groups.count.push_back(1); }},
      {"ERR_CAPACITY groups.slot[4]", [](Delta& d) { d.group(kTooMany, {{0}}); }},
      {"ERR_PROGRAM groups.slot[5]", [](Delta& d) { d.group(0, {{0}}).group(0, {{1}}); }},
      {"ERR_PROGRAM groups.count[4]", [](Delta& d) { d.group(0, {}); }},
      {"ERR_PROGRAM groups.count[4]",
       [](Delta& d) { d.group(0, std::vector<Hop>(kMaxGroup + 1, {0})); }},
      {"ERR_PROGRAM groups.first[3]", [](Delta& d) { d.groups.first[3] = 4; }},
      {"ERR_PROGRAM groups.count[3]", [](Delta& d) { d.groups.count[3] = 2; }},
      {"ERR_PROGRAM groups.first[3]", [](Delta& d) { d.groups.first[3] = 2; }},
      {"ERR_PROGRAM nextHops.gateway", [](Delta& d) { d.nextHops.gateway.pop_back(); }},
      {"ERR_PROGRAM nextHops.mac", [](Delta& d) { d.nextHops.mac.pop_back(); }},
      {"ERR_PROGRAM nextHops.key", [](Delta& d) { d.nextHops.key.pop_back(); }},
      {"ERR_PROGRAM nextHops.weight", [](Delta& d) { d.nextHops.weight.pop_back(); }},
      {"ERR_PROGRAM nextHops.interface[4]", [](Delta& d) { d.group(0, {{2}}); }},
      {"ERR_PROGRAM nextHops.interface[4]", [](Delta& d) { d.group(0, {{0xffff}}); }},
      {"ERR_PROGRAM nextHops.gateway[6]",
       [](Delta& d) {
         d.group(0, {{0, ip6("fd00::1")}, {0}, {0, ip(10, 0, 0, 9)}});
       }},
      {"ERR_PROGRAM nextHops.weight[2]", [](Delta& d) { d.nextHops.weight[2] = 0; }},
      {"ERR_PROGRAM nextHops.interface[4]",  // though no group refers to it
       [](Delta& d) {
         d.group(0, {{9}});
         d.groups.slot.pop_back();
         d.groups.first.pop_back();
         d.groups.count.pop_back();
       }},
  });
}

TEST_CASE("groups that backends name stay") {
  TestProgram program;
  const AnyAddress pod = ip(10, 244, 0, 9);
  REQUIRE(program.commit(
              Delta().group(1, {{0}}).group(2, {{0}}).backend(5, pod, 80, 0, false, 1)) == "");
  CHECK(program.commit(Delta().remove_group(1)) == "ERR_PROGRAM removedGroups[0]");
  CHECK(program.commit(Delta().remove_group(1).backend(5, pod, 80, 0, false, 1)) ==
        "ERR_PROGRAM backends.group[0]");
  CHECK(program.commit(Delta().remove_group(1).group(1, {{1}})) == "");
  CHECK(program.commit(Delta().remove_group(1).backend(5, pod, 80, 0, false, 2)) == "");
  CHECK(program.commit(Delta().backend(5, pod, 80, 0, false, 1)) ==
        "ERR_PROGRAM backends.group[0]");
  CHECK(program.commit(Delta().remove_group(2)) == "ERR_PROGRAM removedGroups[0]");
  CHECK(program.commit(Delta().remove_group(2).remove_backend(5)) == "");
}

TEST_CASE("groups that routes name stay, and stay of their family") {
  TestProgram program;
  const Hop on_link{0}, over4{0, ip(10, 0, 0, 254)}, over6{0, ip6("fd00::1")};
  REQUIRE(program.commit(Delta()
                             .group(1, {over4})
                             .group(2, {on_link})
                             .route_by(ip(10, 1, 0, 0), 24, 1)
                             .route_by(ip(10, 2, 0, 0), 24, 2)
                             .route_by(ip6("fd02::"), 64, 2)) == "");
  CHECK(program.commit(Delta().remove_group(7).remove_group(1)) == "ERR_PROGRAM removedGroups[1]");
  CHECK(program.commit(Delta().remove_group(2).remove_route(ip(10, 2, 0, 0), 24)) ==
        "ERR_PROGRAM removedGroups[0]");
  CHECK(program.commit(Delta().group(3, {on_link}).group(1, {over6})) ==
        "ERR_PROGRAM groups.slot[1]");
  CHECK(program.commit(Delta().group(2, {over4})) == "ERR_PROGRAM groups.slot[0]");
  CHECK(program.commit(Delta().route_by(ip6("fd01::"), 64, 1)) == "ERR_PROGRAM routes.group[0]");
  CHECK(program.commit(Delta().remove_group(1).route_by(ip(10, 1, 0, 0), 24, 1)) ==
        "ERR_PROGRAM routes.group[0]");

  CHECK(program.commit(Delta().group(1, {over6}).route_by(ip(10, 1, 0, 0), 24, 2)) == "");
  CHECK(program.commit(Delta().remove_group(1)) == "");
  CHECK(program.commit(Delta().remove_group(2).group(2, {over6})) == "ERR_PROGRAM groups.slot[0]");
  CHECK(program.commit(Delta()
                           .remove_route(ip(10, 1, 0, 0), 24)
                           .remove_route(ip(10, 2, 0, 0), 24)
                           .remove_route(ip(10, 2, 0, 0), 24)
                           .group(2, {over6})) == "");
  CHECK(program.commit(Delta().remove_group(2).remove_route(ip6("fd02::"), 64)) == "");
  CHECK(program.commit(Delta().route_by(ip6("fd02::"), 64, 2)) == "ERR_PROGRAM routes.group[0]");
}

TEST_CASE("routes") {
  refuses({
      {"ERR_PROGRAM routes.prefix", [](Delta& d) { d.routes.prefix.pop_back(); }},
      {"ERR_PROGRAM routes.group", [](Delta& d) { d.routes.group.pop_back(); }},
      {"ERR_PROGRAM routes.length[4]", [](Delta& d) { d.route(ip(10, 1, 0, 0), 33, 0); }},
      {"ERR_PROGRAM routes.length[4]", [](Delta& d) { d.route(ip6("fd00::"), 129, 0); }},
      {"ERR_PROGRAM routes.prefix[4]", [](Delta& d) { d.route(ip(10, 1, 0, 1), 24, 0); }},
      {"ERR_PROGRAM routes.prefix[4]", [](Delta& d) { d.route(ip6("fd00::1"), 127, 0); }},
      {"ERR_PROGRAM routes.prefix[4]", [](Delta& d) { d.route(ip6("8000::"), 0, 0); }},
      {"ERR_PROGRAM routes.prefix[4]", [](Delta& d) { d.route(ip(0, 0, 0, 0), 0, 0); }},
      {"ERR_PROGRAM routes.group[4]", [](Delta& d) { d.route_by(ip(10, 1, 0, 0), 24, 9); }},
      {"ERR_PROGRAM routes.group[4]", [](Delta& d) { d.route_by(ip(10, 1, 0, 0), 24, kTooMany); }},
      {"ERR_PROGRAM routes.group[4]",
       [](Delta& d) { d.route(ip(10, 1, 0, 0), 24, 0, ip6("fd00::1")); }},
      {"ERR_PROGRAM routes.group[4]",
       [](Delta& d) { d.route(ip6("fd00::"), 64, 0, ip(10, 0, 0, 1)); }},
      {"ERR_PROGRAM removedRoutes.prefix", [](Delta& d) { d.removedRoutes.prefix.push_back(1); }},
      {"ERR_PROGRAM removedRoutes.prefix[0]",
       [](Delta& d) { d.remove_route(ip(10, 1, 0, 1), 24); }},
      {"ERR_PROGRAM removedRoutes.length[0]",
       [](Delta& d) { d.remove_route(ip(10, 1, 0, 0), 40); }},
      {"ERR_CAPACITY routes.prefix[11]",  // the families do not share their room
       [](Delta& d) {
         d.route(ip6("fd00:1::"), 64, 0);
         for (uint8_t i = 0; i < 7; i++) d.route(ip(10, 1, i, 0), 24, 0);
       }},
      {"ERR_CAPACITY routes.prefix[10]",
       [](Delta& d) {
         for (uint8_t i = 0; i < 7; i++)
           d.route(ip6(("fd00:" + std::to_string(i) + "::").c_str()), 64, 0);
       }},
  });
}

TEST_CASE("addresses, scopes and networks") {
  refuses({
      {"ERR_PROGRAM addresses.address", [](Delta& d) { d.addresses.address.pop_back(); }},
      {"ERR_PROGRAM addresses.length", [](Delta& d) { d.addresses.length.pop_back(); }},
      {"ERR_PROGRAM addresses.interface[4]", [](Delta& d) { d.address(3, ip(10, 9, 0, 1), 24); }},
      {"ERR_PROGRAM addresses.address[3]", [](Delta& d) { unspecify(d.addresses.address); }},
      {"ERR_PROGRAM addresses.length[4]", [](Delta& d) { d.address(0, ip(10, 9, 0, 1), 33); }},
      {"ERR_PROGRAM addresses.length[2]", [](Delta& d) { d.addresses.length[2] = 129; }},
      {"ERR_PROGRAM scopes.scope", [](Delta& d) { d.scopes.scope.pop_back(); }},
      {"ERR_PROGRAM scopes.interface[1]", [](Delta& d) { d.scope(2, 0); }},
      {"ERR_PROGRAM scopes.interface[1]", [](Delta& d) { d.scope(0xffff, 0); }},
      {"ERR_PROGRAM scopes.interface[1]", [](Delta& d) { d.scope(1, 0); }},
      {"ERR_PROGRAM scopes.scope[1]", [](Delta& d) { d.scope(0, 3); }},
      {"ERR_PROGRAM podNetworks.prefix", [](Delta& d) { d.podNetworks.prefix.pop_back(); }},
      {"ERR_PROGRAM podNetworks.length[0]", [](Delta& d) { d.podNetworks.length[0] = 64; }},
      {"ERR_PROGRAM podNetworks.prefix[0]", [](Delta& d) { d.podNetworks.length[0] = 8; }},
      {"ERR_PROGRAM serviceNetworks.length[0]",
       [](Delta& d) { d.serviceNetworks.length[0] = 200; }},
      {"ERR_PROGRAM serviceNetworks.prefix[0]", [](Delta& d) { d.serviceNetworks.length[0] = 16; }},
  });
}

TEST_CASE("of two faults the one that is looked at first is told") {
  refuses({
      {"ERR_PROGRAM frontends.kind[0]",
       [](Delta& d) { d.frontends.kind[0] = d.frontends.kind[1] = 9, d.frontends.slot[1] = 0; }},
      {"ERR_PROGRAM backends.address",
       [](Delta& d) { d.backends.slot[0] = 64, d.backends.address.pop_back(); }},
      {"ERR_PROGRAM ranges.length[0]",
       [](Delta& d) { d.ranges.length[0] = 77, d.backends.slot[0] = 64; }},
      {"ERR_PROGRAM pools.silent[0]",
       [](Delta& d) { d.pools.silent[0] = 2, d.members.backend[0] = 50; }},
  });
}

TEST_CASE("a delta is judged by what is there once it is applied") {
  TestProgram program;
  REQUIRE(program.commit(sound_delta()) == "");

  Delta pool_in_use;
  pool_in_use.remove_pool(1);
  CHECK(program.commit(pool_in_use) == "ERR_PROGRAM removedPools[0]");
  pool_in_use.frontend(1, ip(10, 96, 0, 1), 80, kProtocolUdp, 0);
  CHECK(program.commit(pool_in_use) == "ERR_PROGRAM removedPools[0]");  // 2 names it for outside
  pool_in_use.remove_frontend(2);
  CHECK(program.commit(pool_in_use) == "");

  Delta gone_pool;
  gone_pool.remove_pool(0).remove_frontend(0).remove_frontend(1);
  gone_pool.frontend(7, ip(10, 96, 0, 1), 80, kProtocolTcp, 0);
  CHECK(program.commit(gone_pool) == "ERR_PROGRAM frontends.podPool[0]");
  CHECK(program.commit(Delta().frontend(9, ip(10, 96, 0, 1), 80, kProtocolTcp, 0)) ==
        "ERR_PROGRAM frontends.address[0]");

  CHECK(program.commit(Delta().remove_backend(9).remove_backend(0)) ==
        "ERR_PROGRAM removedBackends[1]");
  CHECK(program.commit(Delta().remove_backend(0).pool(0, {{0}})) ==
        "ERR_PROGRAM members.backend[0]");
  CHECK(program.commit(Delta().remove_backend(0).pool(0, {{1}})) == "");
  CHECK(program.commit(Delta().pool(0, {{0}})) == "ERR_PROGRAM members.backend[0]");
  CHECK(program.commit(Delta().remove_backend(2)) == "ERR_PROGRAM removedBackends[0]");
  CHECK(program.commit(Delta().remove_backend(2).remove_pool(2)) == "");

  Delta unknown;
  unknown.remove_frontend(77).remove_frontend(77).remove_pool(77).remove_pool(77);
  unknown.remove_backend(77).remove_backend(UINT32_MAX);
  CHECK(program.commit(unknown.remove_route(ip(10, 77, 0, 0), 16)) == "");
}

TEST_CASE("routes that go make room for those that come") {
  TestProgram program;
  Delta full;
  for (uint8_t i = 0; i < 8; i++) full.route(ip(10, 1, i, 0), 24, 0);
  REQUIRE(program.commit(full) == "");
  CHECK(program.commit(Delta().route(ip(10, 2, 0, 0), 24, 0)) == "ERR_CAPACITY routes.prefix[0]");
  CHECK(program.commit(Delta().route(ip(10, 1, 3, 0), 24, 1)) == "");  // is there already
  Delta twice = Delta().remove_route(ip(10, 1, 0, 0), 24).remove_route(ip(10, 1, 0, 0), 24);
  twice.route(ip(10, 2, 0, 0), 24, 0).route(ip(10, 2, 1, 0), 24, 0);
  CHECK(program.commit(twice) == "ERR_CAPACITY routes.prefix[1]");
  Delta again = Delta().remove_route(ip(10, 1, 0, 0), 24).route(ip(10, 1, 0, 0), 24, 0);
  CHECK(program.commit(again.route(ip(10, 2, 0, 0), 24, 0)) == "ERR_CAPACITY routes.prefix[1]");
  CHECK(program.commit(Delta().remove_route(ip(10, 1, 0, 0), 24).route(ip(10, 2, 0, 0), 24, 0)) ==
        "");
}

TEST_CASE("no column, whatever it holds, gets past the check to do harm") {
  TestProgram program;
  REQUIRE(program.commit(sound_delta()) == "");
  std::mt19937 random(5);
  uint32_t accepted = 0;
  for (int round = 0; round < 20'000; round++) {
    Delta delta = sound_delta();
    auto spoil = [&](auto& column) {
      using Element = typename std::decay_t<decltype(column)>::value_type;
      if (random() % 24 != 0) return;
      if (random() % 3 == 0) column.resize(random() % 40);
      if (column.empty()) return;
      column[random() % column.size()] =
          static_cast<Element>(random() % 2 ? random() : random() % 4);
    };
#define X(table, name, type) spoil(delta.table.name);
#define LIST(name, type) spoil(delta.name);
    SLUICE_PROGRAM_COLUMNS(X, LIST)
#undef X
#undef LIST
    accepted += program.commit(delta).empty();
  }
  CHECK(accepted > 1000);
  CHECK(accepted < 19'000);
}

}  // namespace sluice
