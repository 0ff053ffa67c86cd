// SPDX-License-Identifier: Apache-2.0
#include "config/program_state.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "testing/program.h"

namespace sluice {

TEST_CASE("services, pools and backends become part of a snapshot") {
  TestProgram program;
  CHECK(program.now->generation == 0);  // interfaces do not count
  REQUIRE(program.commit(sound_delta()) == "");
  const Snapshot& now = *program.now;
  CHECK(now.generation == 1);
  const Frontend<Ipv4>* web = program.find(ip(10, 96, 0, 1), 80, kProtocolTcp);
  REQUIRE(web != nullptr);
  CHECK(web->slot == 0);
  CHECK(web->kind == FrontendKind::cluster);
  CHECK(web->service == 5);
  CHECK(web->affinity_s == 60);
  CHECK(web->masquerades(Scope::outside));
  CHECK(web->admits(be32::from_host(ip(10, 1, 1, 1))));
  CHECK_FALSE(web->admits(be32::from_host(ip(11, 1, 1, 1))));
  REQUIRE(program.find(ip(10, 96, 0, 1), 80, kProtocolUdp) != nullptr);
  CHECK(program.find(ip(10, 96, 0, 1), 80, kProtocolUdp)->ranges.empty());
  const Frontend<Ipv6>* six = program.find("fd00:96::1", 80, kProtocolTcp);
  REQUIRE(six != nullptr);
  CHECK(six->kind == FrontendKind::external);
  CHECK(six->pools[0] == 2);
  CHECK(six->pools[1] == 0);
  CHECK(six->pools[2] == 1);

  CHECK(now.pools[0]->members == std::vector<uint32_t>{1, 0});
  CHECK(now.pools[0]->eligible == std::vector<uint32_t>{0, 1});
  CHECK(now.pools[0]->maglev.size() == 1021);
  CHECK(now.pools[0]->is_eligible(1));
  CHECK_FALSE(now.pools[0]->is_eligible(2));
  CHECK_FALSE(now.pools[0]->silent);
  CHECK(now.pools[1]->maglev.empty());
  CHECK_FALSE(now.pools[1]->is_eligible(0));
  CHECK(now.pools[1]->silent);
  CHECK(now.pools[2]->maglev == std::vector<uint32_t>{2});  // a backend slot

  CHECK(now.backends[1].address == Ipv4::general(be32::from_host(ip(10, 244, 0, 2))));
  CHECK(now.backends[1].port.host() == 8080);
  CHECK(now.backends[2].service == 6);
  CHECK(now.is_backend(2, 1));
  CHECK_FALSE(now.is_backend(2, 2));
  CHECK_FALSE(now.is_backend(63, 1));
  const ProgramState::Sizes sizes = program.state.sizes();
  CHECK(sizes.frontends == 3);
  CHECK(sizes.backends == 3);
  CHECK(sizes.pools == 3);
  CHECK(sizes.routes == 4);
}

TEST_CASE("routes, addresses, scopes and networks, too") {
  TestProgram program;
  REQUIRE(program.commit(sound_delta()) == "");
  const Snapshot& now = *program.now;
  REQUIRE(program.route(ip(10, 244, 3, 4)) != nullptr);
  CHECK(program.route(ip(10, 244, 3, 4))->interface == 1);
  CHECK(program.route(ip(10, 244, 3, 4))->gateway.is_zero());
  CHECK_FALSE(program.route(ip(10, 244, 3, 4))->has_mac);
  CHECK(program.route(ip(8, 8, 8, 8))->gateway == AnyAddress(ip(10, 0, 0, 254)));
  CHECK(program.route(ip(8, 8, 8, 8))->has_mac);
  CHECK(program.route("fd00:244::5")->interface == 1);
  CHECK(program.route("2001:db8::1")->gateway == ip6("fe80::1"));

  CHECK(now.v4.is_own_address(be32::from_host(ip(10, 0, 0, 1))));
  CHECK(now.v4.is_own_address(be32::from_host(ip(192, 0, 2, 1))));
  CHECK_FALSE(now.v4.is_own_address(be32::from_host(ip(10, 0, 0, 2))));
  CHECK(now.v6.is_own_address(ip6("fd00:244::fe")));
  CHECK_FALSE(now.v6.is_own_address(ip6("fd00:244::ff")));
  CHECK(now.v4.node_addresses == std::vector<be32>{be32::from_host(ip(192, 0, 2, 1))});
  CHECK(now.v6.node_addresses.empty());
  REQUIRE(now.interfaces[1].addresses<Ipv6>().size() == 1);
  CHECK(now.interfaces[1].addresses<Ipv6>()[0].length == 64);
  CHECK(now.interfaces[0].addresses<Ipv4>()[0].address.host() == ip(10, 0, 0, 1));
  CHECK(now.interfaces[0].scope == InterfaceScope::outside);
  CHECK(now.interfaces[1].scope == InterfaceScope::pod);
  CHECK(now.interfaces[1].unfinished_checksums);
  CHECK(now.v4.is_pod(be32::from_host(ip(10, 244, 9, 9))));
  CHECK_FALSE(now.v4.is_pod(be32::from_host(ip(10, 245, 9, 9))));
  CHECK_FALSE(now.v6.is_pod(ip6("fd00:244::1")));
  CHECK(now.v6.is_service_network(ip6("fd00:96::ffff")));
  CHECK_FALSE(now.v6.is_service_network(ip6("fd00:96::1:0")));

  Delta scopes = Delta().scope(0, 2).pod_network({ip6("fd00:244::"), 32});
  scopes.service_networks_given = true;
  scopes.addresses_given = true;
  REQUIRE(program.commit(scopes) == "");  // replaces
  CHECK(program.now->interfaces[0].scope == InterfaceScope::host);
  CHECK(program.now->interfaces[1].scope == InterfaceScope::outside);
  CHECK(program.now->v4.pod_networks.empty());
  CHECK(program.now->v6.is_pod(ip6("fd00:244::1")));
  CHECK(program.now->v6.service_networks.empty());
  CHECK(program.now->v4.own_addresses.empty());
  CHECK(program.now->v4.node_addresses.empty());
}

TEST_CASE("own addresses are sorted bytewise, each once") {
  TestProgram program;
  Delta delta;
  for (uint32_t last : {9, 2, 200, 2})
    delta.address(0, ip(10, 0, static_cast<uint8_t>(last), 1), 24);
  delta.address(1, ip(9, 255, 0, 1), 24).address(kNodeAddress, ip(10, 0, 9, 1), 32);
  REQUIRE(program.commit(delta) == "");
  const auto& own = program.now->v4.own_addresses;
  CHECK(own.size() == 4);
  CHECK(std::is_sorted(own.begin(), own.end(), [](be32 a, be32 b) { return a.host() < b.host(); }));
}

TEST_CASE("a serial is the number of the commit that gave a slot its backend") {
  TestProgram program;
  auto serial = [&](uint32_t slot) { return program.now->backends[slot].serial; };
  REQUIRE(program.commit(sound_delta()) == "");
  CHECK(serial(0) == 1);
  program.now = program.state.remove_interface(0);
  program.state.settle();
  CHECK(program.now->generation == 1);
  REQUIRE(program.commit(Delta()) == "");
  CHECK(program.now->generation == 2);

  // The same three again, flushed or not.
  REQUIRE(program.commit(Delta().backend(0, ip(10, 244, 0, 1), 8080, 5, true)) == "");
  CHECK(serial(0) == 1);
  CHECK(program.now->backends[0].flushed);
  CHECK_FALSE(program.before->backends[0].flushed);
  // Removed and put is put.
  REQUIRE(program.commit(Delta().remove_backend(0).backend(0, ip(10, 244, 0, 1), 8080, 5)) == "");
  CHECK(serial(0) == 1);
  CHECK_FALSE(program.now->backends[0].flushed);

  REQUIRE(program.commit(Delta().backend(0, ip(10, 244, 0, 1), 8081, 5)) == "");
  CHECK(serial(0) == 5);
  REQUIRE(program.commit(Delta().backend(0, ip(10, 244, 0, 1), 8081, 4)) == "");
  CHECK(serial(0) == 6);
  REQUIRE(program.commit(Delta().backend(0, ip(10, 244, 0, 7), 8081, 4)) == "");
  CHECK(serial(0) == 7);

  REQUIRE(program.commit(Delta().pool(0, {{1}}).pool(1, {}).remove_backend(0)) == "");
  CHECK(serial(0) == 0);
  CHECK_FALSE(program.now->is_backend(0, 7));
  CHECK(program.state.sizes().backends == 2);
  REQUIRE(program.commit(Delta().backend(0, ip(10, 244, 0, 7), 8081, 4)) == "");
  CHECK(serial(0) == 9);
}

TEST_CASE("a pool is spread by the addresses that its members have when it is put") {
  TestProgram program;
  REQUIRE(program.commit(sound_delta()) == "");
  const auto pool = program.now->pools[0];
  REQUIRE(program.commit(Delta().backend(0, ip(10, 244, 7, 7), 1, 5)) == "");
  CHECK(program.now->pools[0] == pool);
  REQUIRE(program.commit(Delta().pool(0, {{1, 1}, {0, 1}})) == "");
  CHECK(program.now->pools[0]->maglev != pool->maglev);
  // In one delta the backends come first.
  Delta back = Delta().pool(0, {{1, 1}, {0, 1}}).backend(0, ip(10, 244, 0, 1), 8080, 5);
  REQUIRE(program.commit(back) == "");
  CHECK(program.now->pools[0]->maglev == pool->maglev);
}

TEST_CASE("what did not change is shared, and the previous snapshot stays as it was") {
  TestProgram program;
  REQUIRE(program.commit(sound_delta()) == "");
  REQUIRE(program.commit(Delta().backend(0, ip(10, 244, 0, 9), 1).pool(0, {{0}})) == "");
  CHECK(program.now->v4.services == program.before->v4.services);
  CHECK(program.now->v6.services == program.before->v6.services);
  CHECK(program.now->pools[1] == program.before->pools[1]);
  CHECK(program.now->pools[0] != program.before->pools[0]);
  CHECK(program.now->backends[0].port.host() == 1);
  CHECK(program.before->backends[0].port.host() == 8080);
  CHECK(program.now->v4.routes == program.before->v4.routes);

  REQUIRE(program.commit(Delta().frontend(1, ip(10, 96, 0, 1), 81, kProtocolUdp, 1)) == "");
  CHECK(program.now->v4.services != program.before->v4.services);
  CHECK(program.now->v6.services == program.before->v6.services);

  REQUIRE(program.commit(Delta().route(ip(10, 244, 0, 0), 16, 0)) == "");  // only its way changes
  CHECK(program.now->v4.routes == program.before->v4.routes);
  CHECK(program.route(ip(10, 244, 0, 1))->interface == 0);
  REQUIRE(program.commit(Delta().remove_route(ip(10, 244, 0, 0), 16)) == "");
  CHECK(program.now->v4.routes != program.before->v4.routes);
  CHECK(program.now->v6.routes == program.before->v6.routes);
  CHECK(program.route(ip(10, 244, 0, 1))->has_mac);
  REQUIRE(program.commit(Delta().remove_route(ip6("fd00:244::"), 32)) == "");
  CHECK(program.now->v6.routes != program.before->v6.routes);
  CHECK(program.route("fd00:244::1")->interface == 0);
}

TEST_CASE("a snapshot stays as it was until the next one but one, however tables grow") {
  TestProgram program;
  REQUIRE(program.commit(sound_delta()) == "");
  for (uint32_t turn = 0; turn < 40; turn++) {
    const Snapshot& before = *program.now;
    const size_t backends = before.backends.size(), pools = before.pools.size();
    const uint32_t slot = turn + 3;
    Delta delta;
    delta.backend(slot, ip(10, 244, 1, static_cast<uint8_t>(turn)), 80, 7)
        .pool(slot, {{slot}, {0}})
        .frontend(slot, ip(10, 96, 1, static_cast<uint8_t>(turn)), 80, kProtocolTcp, slot);
    // One that was there goes in the same commit, and another one becomes something else.
    delta.remove_frontend(slot - 1);
    delta.backend(1, ip(10, 244, 2, static_cast<uint8_t>(turn)), 81, 5);
    REQUIRE(program.commit(delta) == "");
    REQUIRE(&before == program.before.get());
    INFO(turn);
    CHECK(before.backends.size() == backends);
    CHECK(before.pools.size() == pools);
    CHECK(before.backends[1].address !=
          Ipv4::general(be32::from_host(ip(10, 244, 2, static_cast<uint8_t>(turn)))));
    const auto finds = [&](const Snapshot& snapshot, uint32_t number) {
      return snapshot.v4.services->find(
                 be32::from_host(ip(10, 96, 1, static_cast<uint8_t>(number))), be16::from_host(80),
                 kProtocolTcp) != nullptr;
    };
    CHECK_FALSE(finds(before, turn));
    CHECK(finds(*program.now, turn));
    if (turn > 0) CHECK(finds(before, turn - 1));
    if (turn > 0) CHECK_FALSE(finds(*program.now, turn - 1));
    CHECK(program.now->backends[slot].service == 7);
    CHECK(program.now->pools[slot]->members == std::vector<uint32_t>{slot, 0});
    CHECK(program.now->backends[0].port.host() == 8080);  // of the first commit, in both
  }
  CHECK(program.state.sizes().backends == 43);
}

TEST_CASE("pools that nobody reads any more are freed") {
  TestProgram program;
  REQUIRE(program.commit(sound_delta()) == "");
  program.state.settle();
  const std::weak_ptr<const Pool> pool = program.now->pools[0];
  REQUIRE(program.commit(Delta().pool(0, {{0}})) == "");
  CHECK(pool.lock() == program.before->pools[0]);
  program.state.settle();
  CHECK(pool.expired());
}

TEST_CASE("removal comes before insertion, and slots and keys can change hands") {
  TestProgram program;
  REQUIRE(program.commit(sound_delta()) == "");
  Delta swap;
  swap.frontend(1, ip(10, 96, 0, 1), 80, kProtocolTcp, 0);
  swap.frontend(0, ip(10, 96, 0, 1), 80, kProtocolUdp, 1);
  REQUIRE(program.commit(swap) == "");
  CHECK(program.find(ip(10, 96, 0, 1), 80, kProtocolTcp)->slot == 1);

  Delta replace;
  replace.remove_frontend(0).remove_frontend(1).remove_pool(0).remove_pool(1);
  replace.frontend(1, ip(10, 96, 0, 2), 80, kProtocolTcp, 1).pool(1, {{0}});
  replace.frontend(2, ip(10, 96, 0, 3), 80, kProtocolTcp, 1);  // was one of IPv6
  replace.remove_route(ip(0, 0, 0, 0), 0).route(ip(0, 0, 0, 0), 0, 1);
  REQUIRE(program.commit(replace) == "");
  CHECK(program.find(ip(10, 96, 0, 1), 80, kProtocolTcp) == nullptr);
  CHECK(program.find(ip(10, 96, 0, 2), 80, kProtocolTcp) != nullptr);
  CHECK(program.find(ip(10, 96, 0, 3), 80, kProtocolTcp) != nullptr);
  CHECK(program.find("fd00:96::1", 80, kProtocolTcp) == nullptr);
  CHECK(program.now->pools[0] == nullptr);
  CHECK(program.now->pools[1]->eligible == std::vector<uint32_t>{0});
  CHECK(program.route(ip(8, 8, 8, 8))->interface == 1);
  CHECK(program.state.sizes().pools == 2);
}

TEST_CASE("a frontend whose ranges are all of the other family admits nobody") {
  TestProgram program;
  Delta delta = sound_delta().frontend(3, ip(10, 96, 0, 4), 80, kProtocolTcp, 0,
                                       {.ranges = {{ip6("fd00::"), 16}}});
  REQUIRE(program.commit(delta) == "");
  const Frontend<Ipv4>* frontend = program.find(ip(10, 96, 0, 4), 80, kProtocolTcp);
  CHECK_FALSE(frontend->admits(be32::from_host(ip(10, 0, 0, 9))));
}

TEST_CASE("a removed interface takes its addresses, its scope and its routes along") {
  TestProgram program;
  REQUIRE(program.commit(sound_delta()) == "");
  const auto before = std::move(program.now);
  program.now = program.state.remove_interface(1);
  const auto old_way = before->find_way<Ipv4>(be32::from_host(ip(10, 244, 0, 1)), 0);
  REQUIRE(old_way.next_hop != kNoNextHop);
  CHECK(before->next_hops[old_way.next_hop].interface == 1);
  program.state.settle();
  CHECK_FALSE(program.now->interfaces[1].present);
  CHECK(program.route(ip(10, 244, 0, 1))->interface == 0);
  CHECK(program.route("fd00:244::1")->interface == 0);
  CHECK(program.state.sizes().routes == 2);
  CHECK_FALSE(program.now->v4.is_own_address(be32::from_host(ip(10, 244, 0, 254))));
  CHECK_FALSE(program.now->v6.is_own_address(ip6("fd00:244::fe")));
  CHECK(program.now->v4.is_own_address(be32::from_host(ip(192, 0, 2, 1))));
  CHECK(program.commit(Delta().remove_route(ip(10, 244, 0, 0), 16)) == "");  // no fault
  program.now = program.state.add_interface(1, kTestMac, 9000, false);
  CHECK(program.now->interfaces[1].mtu == 9000);
  CHECK(program.now->interfaces[1].addresses<Ipv4>().empty());
  CHECK(program.now->interfaces[1].scope == InterfaceScope::outside);
  CHECK_FALSE(program.now->interfaces[1].unfinished_checksums);
}

// Over both interfaces, by gateways that tell them apart.
const std::vector<Hop> kBoth = {{0, ip(10, 0, 0, 254), {2, 0, 0, 0, 0, 8}, 100},
                                {1, ip(10, 244, 0, 253), {2, 0, 0, 0, 0, 9}, 200}};

// Hashes of 256 flows that go by an interface.
std::vector<uint32_t> flows_over(const TestProgram& program, uint16_t interface) {
  std::vector<uint32_t> hashes;
  for (uint32_t hash = 0; hash < 256 * 7919; hash += 7919) {
    const auto way = program.now->find_way<Ipv4>(be32::from_host(ip(9, 9, 9, 9)), hash);
    REQUIRE(way.next_hop != kNoNextHop);
    if (program.now->next_hops[way.next_hop].interface == interface) hashes.push_back(hash);
  }
  return hashes;
}

TEST_CASE("flows are spread over the next hops of a group, and go by a live one") {
  TestProgram program;
  REQUIRE(program.commit(Delta().group(3, kBoth).route_by(ip(9, 0, 0, 0), 8, 3)) == "");
  const auto over0 = flows_over(program, 0), over1 = flows_over(program, 1);
  CHECK(over0.size() > 80);
  CHECK(over1.size() > 80);

  const be32 destination = be32::from_host(ip(9, 9, 9, 9));
  CHECK_FALSE(program.now->find_way<Ipv4>(destination, over1.front()).detour);
  program.up[1] = false;
  CHECK(flows_over(program, 0).size() == 256);
  CHECK(program.now->find_way<Ipv4>(destination, over1.front()).detour);
  CHECK_FALSE(program.now->find_way<Ipv4>(destination, over0.front()).detour);
  program.up[0] = false;  // nobody is left: each stays with its owner
  CHECK(flows_over(program, 1) == over1);
  CHECK_FALSE(program.now->find_way<Ipv4>(destination, over1.front()).detour);
  program.up[0] = program.up[1] = true;
  CHECK(flows_over(program, 1) == over1);
}

TEST_CASE("a group goes on without a next hop whose interface is removed, and goes with its last") {
  TestProgram program;
  REQUIRE(program.commit(Delta()
                             .group(3, kBoth)
                             .group(4, {{1}})
                             .route_by(ip(9, 0, 0, 0), 8, 3)
                             .route_by(ip(8, 0, 0, 0), 8, 4)
                             .route_by(ip6("fd08::"), 64, 4)) == "");
  program.now = program.state.remove_interface(1);
  program.state.settle();
  CHECK(flows_over(program, 0).size() == 256);
  CHECK(program.route(ip(8, 8, 8, 8)) == nullptr);
  CHECK(program.route("fd08::8") == nullptr);
  CHECK(program.state.sizes().routes == 1);
  CHECK(program.commit(Delta().route_by(ip(8, 0, 0, 0), 8, 4)) == "ERR_PROGRAM routes.group[0]");
  program.now = program.state.remove_interface(0);
  program.state.settle();
  CHECK(program.state.sizes().routes == 0);
}

TEST_CASE("a group that is put anew takes its routes along, and next hops keep their places") {
  TestProgram program;
  REQUIRE(program.commit(Delta().group(3, kBoth).route_by(ip(9, 0, 0, 0), 8, 3)) == "");
  const size_t places = program.now->next_hops.size();
  const uint32_t stamp = program.now->stamp;
  std::vector<Hop> swapped = kBoth;
  swapped[0].interface = 1;
  REQUIRE(program.commit(Delta().group(3, swapped)) == "");
  CHECK(program.now->stamp != stamp);
  CHECK(flows_over(program, 1).size() == 256);
  CHECK(program.now->v4.routes == program.before->v4.routes);
  CHECK(program.now->next_hops.size() == places);
  CHECK(program.now->groups[3].hops == program.before->groups[3].hops);
  REQUIRE(program.commit(Delta().group(5, {{0}}).route_by(ip(9, 0, 0, 0), 8, 5).remove_group(3)) ==
          "");
  CHECK(flows_over(program, 0).size() == 256);
  CHECK(program.now->next_hops.size() == places);
}

}  // namespace sluice
