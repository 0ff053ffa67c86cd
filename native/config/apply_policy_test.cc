// SPDX-License-Identifier: Apache-2.0
// What a policy in a delta makes of the snapshot.
#include <doctest/doctest.h>

#include "testing/program.h"

namespace sluice {
namespace {

be32 ip4(uint32_t address) { return be32::from_host(address); }

// Whether flows have to be looked at again.
bool renews_stamp(TestProgram& program, const Delta& delta) {
  REQUIRE(program.commit(delta) == "");
  return program.now->stamp != program.before->stamp;
}

}  // namespace

TEST_CASE("rule sets, identities and networks are there, and so they stay in older snapshots") {
  TestProgram program;
  REQUIRE(program.commit(sound_delta()) == "");
  const Snapshot& now = *program.now;
  REQUIRE(now.rule_sets.find(0) != nullptr);
  const std::vector<uint32_t> five = {5}, both = {3, 5}, none;
  CHECK(now.rule_sets.find(0)->ask({five, kProtocolTcp, 5, false}) == Judgement{true, 1});
  CHECK(now.rule_sets.find(0)->ask({both, kProtocolTcp, 9, false}) == Judgement{false, 0});
  CHECK(now.rule_sets.find(0)->ask({both, kProtocolTcp, 10, false}) == Judgement{true, 1});
  CHECK(now.rule_sets.find(1)->ask({none, kProtocolUdp, 10, false}) == Judgement{false, 101});
  CHECK(now.identities.find(0)->ingress == 0);
  CHECK(now.identities.find(0)->egress == kNoRules);
  CHECK(now.identities.find(0)->selectors == both);
  CHECK(now.identities.find(1)->is_pending());
  CHECK(now.v4.identities.lookup(ip4(ip(10, 244, 0, 1))) == 0);
  CHECK(now.v4.identities.lookup(ip4(ip(10, 244, 0, 2))) == 2);
  CHECK(now.v6.identities.lookup(ip6("fd00:244::1")) == 1);
  CHECK(now.v6.identities.lookup(ip6("fd00:244::2")) == kNoIdentity);

  REQUIRE(
      program.commit(
          Delta().rule_set(0, {}).identity(0, {.egress = 0}).identity_host(ip(10, 244, 0, 2), 0)) ==
      "");
  CHECK(program.now->rule_sets.find(0)->ask({both, kProtocolTcp, 9, false}) == Judgement{true, {}});
  CHECK(program.now->identities.find(0)->ingress == kNoRules);
  CHECK(program.now->v4.identities.lookup(ip4(ip(10, 244, 0, 2))) == 0);
  CHECK(program.before->rule_sets.find(0)->ask({both, kProtocolTcp, 9, false}) ==
        Judgement{false, 0});
  CHECK(program.before->identities.find(0)->ingress == 0);
  CHECK(program.before->v4.identities.lookup(ip4(ip(10, 244, 0, 2))) == 2);
}

TEST_CASE("what flows may depend on gives the snapshot another stamp") {
  TestProgram program;
  REQUIRE(program.commit(sound_delta()) == "");
  const Network network{ip(10, 245, 0, 0), 16};
  CHECK_FALSE(renews_stamp(program, Delta()));
  CHECK_FALSE(renews_stamp(program, Delta().backend(5, ip(10, 244, 0, 9), 1)));
  CHECK(renews_stamp(program, Delta().rule_set(7, {})));
  CHECK(renews_stamp(program, Delta().identity(7, {})));
  CHECK(renews_stamp(program, Delta().identity_network(network, 7)));
  CHECK(renews_stamp(program, Delta().remove_identity_network(network)));
  CHECK(renews_stamp(program, Delta().remove_identity(7)));
  CHECK(renews_stamp(program, Delta().remove_rule_set(7)));
  CHECK(renews_stamp(program, Delta().source(0, network)));
  CHECK(renews_stamp(program, Delta().address(0, ip(10, 0, 0, 2), 24)));
}

TEST_CASE("sources are replaced, and an interface that goes takes its own along") {
  TestProgram program;
  REQUIRE(program.commit(sound_delta()) == "");
  auto admits = [&](uint16_t slot, uint32_t address) {
    return program.now->interfaces[slot].admits<Ipv4>(ip4(address));
  };
  auto admits6 = [&](uint16_t slot, const char* address) {
    return program.now->interfaces[slot].admits<Ipv6>(ip6(address));
  };
  CHECK(admits(1, ip(10, 244, 255, 255)));
  CHECK_FALSE(admits(1, ip(10, 245, 0, 0)));
  CHECK(admits6(1, "fd00:244::1"));
  CHECK_FALSE(admits6(1, "fd00:244:0:1::1"));
  CHECK(admits(0, ip(10, 245, 0, 0)));

  REQUIRE(program.commit(Delta().source(0, {ip(10, 0, 0, 0), 8})) == "");
  CHECK(admits(1, ip(10, 245, 0, 0)));
  CHECK_FALSE(admits(0, ip(11, 0, 0, 0)));
  CHECK_FALSE(admits6(0, "fd00::1"));  // it has sources, if of the other family

  program.now = program.state.remove_interface(0);
  program.state.settle();
  CHECK_FALSE(program.now->interfaces[0].has_sources);
  program.now = program.state.add_interface(0, kTestMac, 1500, false);
  program.state.settle();
  CHECK(admits(0, ip(11, 0, 0, 0)));

  Delta none;
  none.sources_given = true;
  REQUIRE(program.commit(Delta().source(1, {ip(10, 0, 0, 0), 8})) == "");
  REQUIRE(program.commit(none) == "");
  CHECK(admits(1, ip(11, 0, 0, 0)));
}

}  // namespace sluice
