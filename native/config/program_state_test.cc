// SPDX-License-Identifier: Apache-2.0
#include "config/program_state.h"

#include <doctest/doctest.h>

#include <functional>
#include <random>

#include "testing/delta.h"
#include "testing/eal.h"

namespace sluice {
namespace {

constexpr uint8_t kTcp = 6, kUdp = 17;
constexpr uint8_t kMac[6] = {2, 0, 0, 0, 0, 1};

struct Program {
  Program() : state((start_eal(), limits), up) {
    REQUIRE_FALSE(state.open());
    for (uint16_t slot : {0, 1}) {
      now = state.add_interface(slot, kMac, 1500);
      state.settle();
    }
  }
  // The path that is to blame; empty: committed.
  std::string commit(const Delta& delta) {
    if (auto error = state.check(delta)) return error->code + " " + error->path;
    before = std::move(now);
    now = state.build(delta);
    state.settle();
    return "";
  }
  const Frontend* find(uint32_t address, uint16_t port, uint8_t protocol) const {
    return now->services->find(be32::from_host(address), be16::from_host(port), protocol);
  }
  const NextHop* route(uint32_t address) const {
    const uint32_t index = now->routes->lookup(be32::from_host(address));
    return index == kNoNextHop ? nullptr : &now->next_hops[index];
  }

  Limits limits{.backends = 64, .interfaces = 4, .routes = 8, .timeouts = {}};
  std::atomic<bool> up[4] = {true, true, true, true};
  ProgramState state;
  std::unique_ptr<Snapshot> now, before;
};

// Two services over two pools, two routes, an address each.
Delta sound() {
  return Delta()
      .frontend(0, ip(10, 96, 0, 1), 80, kTcp, 0)
      .frontend(1, ip(10, 96, 0, 1), 80, kUdp, 1)
      .pool(0, {{0, ip(10, 244, 0, 1), 8080}, {1, ip(10, 244, 0, 2), 8080}})
      .pool(1, {{2, ip(10, 244, 0, 1), 53, 0}})
      .route(ip(10, 244, 0, 0), 16, 1)
      .route(0, 0, 0, ip(10, 0, 0, 254), {2, 0, 0, 0, 0, 9})
      .address(0, ip(10, 0, 0, 1), 24)
      .address(1, ip(10, 244, 0, 254), 16);
}

}  // namespace

TEST_CASE("a sound delta becomes a snapshot") {
  Program program;
  const uint64_t generation = program.now->generation;
  REQUIRE(program.commit(sound()) == "");
  const Snapshot& now = *program.now;
  CHECK(now.generation == generation + 1);
  REQUIRE(program.find(ip(10, 96, 0, 1), 80, kTcp) != nullptr);
  CHECK(program.find(ip(10, 96, 0, 1), 80, kTcp)->pool == 0);
  CHECK(program.find(ip(10, 96, 0, 1), 80, kUdp)->pool == 1);
  CHECK(now.pools[0]->backends.size() == 2);
  CHECK(now.pools[0]->maglev.size() == 4099);
  CHECK(now.pools[1]->maglev.empty());
  CHECK(now.backends[1].present);
  CHECK(now.backends[1].address == be32::from_host(ip(10, 244, 0, 2)));
  CHECK(now.backends[1].port.host() == 8080);
  CHECK(now.backends[2].pool == 1);
  CHECK_FALSE(now.backends[3].present);
  REQUIRE(program.route(ip(10, 244, 3, 4)) != nullptr);
  CHECK(program.route(ip(10, 244, 3, 4))->interface == 1);
  CHECK(program.route(ip(10, 244, 3, 4))->gateway.is_zero());
  CHECK_FALSE(program.route(ip(10, 244, 3, 4))->has_mac);
  CHECK(program.route(ip(8, 8, 8, 8))->gateway == be32::from_host(ip(10, 0, 0, 254)));
  CHECK(program.route(ip(8, 8, 8, 8))->has_mac);
  CHECK(now.is_own_address(be32::from_host(ip(10, 0, 0, 1))));
  CHECK_FALSE(now.is_own_address(be32::from_host(ip(10, 0, 0, 2))));
}

TEST_CASE("what did not change is shared, and the previous snapshot stays as it was") {
  Program program;
  REQUIRE(program.commit(sound()) == "");
  REQUIRE(program.commit(Delta().pool(0, {{0, ip(10, 244, 0, 9), 1}})) == "");
  CHECK(program.now->services == program.before->services);
  CHECK(program.now->pools[1] == program.before->pools[1]);
  CHECK(program.now->pools[0] != program.before->pools[0]);
  CHECK(program.now->backends[0].address == be32::from_host(ip(10, 244, 0, 9)));
  CHECK_FALSE(program.now->backends[1].present);
  CHECK(program.before->backends[1].present);
  CHECK(program.now->routes == program.before->routes);
  CHECK(program.now->own_addresses.size() == 2);

  REQUIRE(program.commit(Delta().route(ip(10, 244, 0, 0), 16, 0)) == "");  // only its way changes
  CHECK(program.now->routes == program.before->routes);
  CHECK(program.route(ip(10, 244, 0, 1))->interface == 0);
  REQUIRE(program.commit(Delta().remove_route(ip(10, 244, 0, 0), 16)) == "");
  CHECK(program.now->routes != program.before->routes);
  CHECK(program.route(ip(10, 244, 0, 1))->has_mac);
}

TEST_CASE("removal comes before insertion, and slots and keys can change hands") {
  Program program;
  REQUIRE(program.commit(sound()) == "");
  Delta swap;
  swap.frontend(1, ip(10, 96, 0, 1), 80, kTcp, 0).frontend(0, ip(10, 96, 0, 1), 80, kUdp, 1);
  REQUIRE(program.commit(swap) == "");
  CHECK(program.find(ip(10, 96, 0, 1), 80, kTcp)->slot == 1);

  Delta replace;
  replace.removedFrontends = {0, 1};
  replace.removedPools = {0, 1};
  replace.frontend(1, ip(10, 96, 0, 2), 80, kTcp, 1).pool(1, {{0, ip(10, 244, 0, 1), 8080}});
  replace.remove_route(0, 0).route(0, 0, 1);
  REQUIRE(program.commit(replace) == "");
  CHECK(program.find(ip(10, 96, 0, 1), 80, kTcp) == nullptr);
  CHECK(program.find(ip(10, 96, 0, 2), 80, kTcp) != nullptr);
  CHECK(program.now->pools[0] == nullptr);
  CHECK(program.now->backends[0].pool == 1);
  CHECK(program.route(ip(8, 8, 8, 8))->interface == 1);
}

TEST_CASE("a removed interface takes its addresses and routes along") {
  Program program;
  REQUIRE(program.commit(sound()) == "");
  const auto before = std::move(program.now);
  program.now = program.state.remove_interface(1);
  CHECK(before->routes->lookup(be32::from_host(ip(10, 244, 0, 1))) != kNoNextHop);
  CHECK(before->next_hops[before->routes->lookup(be32::from_host(ip(10, 244, 0, 1)))].interface ==
        1);
  program.state.settle();
  CHECK_FALSE(program.now->interfaces[1].present);
  CHECK(program.route(ip(10, 244, 0, 1))->interface == 0);
  CHECK_FALSE(program.now->is_own_address(be32::from_host(ip(10, 244, 0, 254))));
  CHECK(program.commit(Delta().remove_route(ip(10, 244, 0, 0), 16)) == "");  // no fault
  program.now = program.state.add_interface(1, kMac, 9000);
  CHECK(program.now->interfaces[1].mtu == 9000);
  CHECK(program.now->interfaces[1].addresses.empty());
}

TEST_CASE("a faulty delta is refused with its path, and changes nothing") {
  struct Fault {
    const char* error;
    std::function<void(Delta&)> make;
  };
  auto unmapped = [](std::vector<uint8_t>& column) { column[column.size() - 16] = 0x20; };
  const Fault faults[] = {
      {"ERR_PROGRAM frontends.address", [](Delta& d) { d.frontends.address.pop_back(); }},
      {"ERR_PROGRAM frontends.port", [](Delta& d) { d.frontends.port.push_back(1); }},
      {"ERR_PROGRAM frontends.protocol", [](Delta& d) { d.frontends.protocol.clear(); }},
      {"ERR_PROGRAM frontends.pool", [](Delta& d) { d.frontends.pool.pop_back(); }},
      {"ERR_CAPACITY frontends.slot[2]",
       [](Delta& d) { d.frontend(1 << 20, ip(10, 96, 0, 9), 1, kTcp, 0); }},
      {"ERR_PROGRAM frontends.slot[2]",
       [](Delta& d) { d.frontend(1, ip(10, 96, 0, 9), 1, kTcp, 0); }},
      {"ERR_PROGRAM frontends.address[1]", [&](Delta& d) { unmapped(d.frontends.address); }},
      {"ERR_PROGRAM frontends.protocol[0]", [](Delta& d) { d.frontends.protocol[0] = 1; }},
      {"ERR_PROGRAM frontends.pool[2]",
       [](Delta& d) { d.frontend(5, ip(10, 96, 0, 9), 1, kTcp, 7); }},
      {"ERR_PROGRAM frontends.address[2]",
       [](Delta& d) { d.frontend(5, ip(10, 96, 0, 1), 80, kTcp, 0); }},
      {"ERR_PROGRAM pools.first", [](Delta& d) { d.pools.first.pop_back(); }},
      {"ERR_PROGRAM pools.count", [](Delta& d) { d.pools.count.push_back(0); }},
      {"ERR_CAPACITY pools.slot[2]", [](Delta& d) { d.pool(1 << 20, {}); }},
      {"ERR_PROGRAM pools.slot[2]", [](Delta& d) { d.pool(0, {}); }},
      {"ERR_PROGRAM pools.count[1]", [](Delta& d) { d.pools.count[1] = 2; }},
      {"ERR_PROGRAM pools.count[0]", [](Delta& d) { d.pools.count[0] = UINT32_MAX; }},
      {"ERR_PROGRAM pools.first[1]", [](Delta& d) { d.pools.first[1] = UINT32_MAX; }},
      {"ERR_PROGRAM pools.first[1]", [](Delta& d) { d.pools.first[1] = 1; }},
      {"ERR_PROGRAM backends.address", [](Delta& d) { d.backends.address.push_back(0); }},
      {"ERR_PROGRAM backends.port", [](Delta& d) { d.backends.port.pop_back(); }},
      {"ERR_PROGRAM backends.weight", [](Delta& d) { d.backends.weight.pop_back(); }},
      {"ERR_CAPACITY backends.slot[2]", [](Delta& d) { d.backends.slot[2] = 64; }},
      {"ERR_PROGRAM backends.slot[1]", [](Delta& d) { d.backends.slot[1] = 0; }},
      {"ERR_PROGRAM backends.address[2]", [&](Delta& d) { unmapped(d.backends.address); }},
      {"ERR_PROGRAM routes.prefix", [](Delta& d) { d.routes.prefix.pop_back(); }},
      {"ERR_PROGRAM routes.interface", [](Delta& d) { d.routes.interface.pop_back(); }},
      {"ERR_PROGRAM routes.gateway", [](Delta& d) { d.routes.gateway.pop_back(); }},
      {"ERR_PROGRAM routes.mac", [](Delta& d) { d.routes.mac.pop_back(); }},
      {"ERR_PROGRAM routes.prefix[2]", [](Delta& d) { d.route(ip(10, 1, 0, 1), 24, 0); }},
      {"ERR_PROGRAM routes.length[2]", [](Delta& d) { d.route(ip(10, 1, 0, 0), 33, 0); }},
      {"ERR_PROGRAM routes.prefix[2]", [](Delta& d) { d.route(0, 0, 0); }},
      {"ERR_PROGRAM routes.interface[2]", [](Delta& d) { d.route(ip(10, 1, 0, 0), 24, 2); }},
      {"ERR_PROGRAM routes.interface[2]", [](Delta& d) { d.route(ip(10, 1, 0, 0), 24, 4000); }},
      {"ERR_PROGRAM routes.gateway[1]", [&](Delta& d) { unmapped(d.routes.gateway); }},
      {"ERR_PROGRAM removedRoutes.prefix[0]",
       [](Delta& d) { d.remove_route(ip(10, 1, 0, 1), 24); }},
      {"ERR_PROGRAM removedRoutes.length[0]", [](Delta& d) { d.remove_route(0, 40); }},
      {"ERR_CAPACITY routes.prefix[8]",
       [](Delta& d) {
         for (uint8_t i = 0; i < 7; i++) d.route(ip(10, 1, i, 0), 24, 0);
       }},
      {"ERR_PROGRAM addresses.address", [](Delta& d) { d.addresses.address.pop_back(); }},
      {"ERR_PROGRAM addresses.length", [](Delta& d) { d.addresses.length.pop_back(); }},
      {"ERR_PROGRAM addresses.interface[2]", [](Delta& d) { d.address(3, ip(10, 9, 0, 1), 24); }},
      {"ERR_PROGRAM addresses.length[2]", [](Delta& d) { d.address(0, ip(10, 9, 0, 1), 33); }},
      {"ERR_PROGRAM addresses.address[1]", [&](Delta& d) { unmapped(d.addresses.address); }},
  };
  Program program;
  for (const Fault& fault : faults) {
    Delta delta = sound();
    fault.make(delta);
    INFO(fault.error);
    REQUIRE(program.commit(delta) == fault.error);
  }
  const uint64_t generation = program.now->generation;
  REQUIRE(program.commit(sound()) == "");  // nothing of all that has stayed
  CHECK(program.now->generation == generation + 1);
  CHECK(program.now->services->frontends().size() == 2);
}

TEST_CASE("a delta is judged by what is there once it is applied") {
  Program program;
  REQUIRE(program.commit(sound()) == "");
  Delta pool_in_use;
  pool_in_use.removedPools = {1};
  CHECK(program.commit(pool_in_use) == "ERR_PROGRAM removedPools[0]");
  pool_in_use.frontend(1, ip(10, 96, 0, 1), 80, kUdp, 0);  // names another pool now
  CHECK(program.commit(pool_in_use) == "");
  Delta gone_pool;
  gone_pool.removedPools = {0};
  gone_pool.removedFrontends = {0, 1};
  gone_pool.frontend(7, ip(10, 96, 0, 1), 80, kTcp, 0);
  CHECK(program.commit(gone_pool) == "ERR_PROGRAM frontends.pool[0]");
  CHECK(program.commit(Delta().pool(4, {{0, ip(1, 1, 1, 1), 1}})) ==
        "ERR_PROGRAM backends.slot[0]");
  CHECK(program.commit(Delta().frontend(9, ip(10, 96, 0, 1), 80, kTcp, 0)) ==
        "ERR_PROGRAM frontends.address[0]");
  Delta unknown;
  unknown.removedFrontends = {77, 77};
  unknown.removedPools = {77, 77};
  CHECK(program.commit(unknown.remove_route(ip(10, 77, 0, 0), 16)) == "");
}

TEST_CASE("no column, whatever it holds, gets past the check to do harm") {
  Program program;
  REQUIRE(program.commit(sound()) == "");
  std::mt19937 random(5);
  uint32_t accepted = 0;
  for (int round = 0; round < 20000; round++) {
    Delta delta = sound();
    auto spoil = [&](auto& column) {
      using Element = typename std::decay_t<decltype(column)>::value_type;
      if (random() % 16 != 0) return;
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
  CHECK(accepted < 19000);
}

}  // namespace sluice
