// SPDX-License-Identifier: Apache-2.0
// Rules 17 to 25 of docs/program.md: each is broken once, and named by code and path.
#include <doctest/doctest.h>

#include "testing/program.h"

namespace sluice {
namespace {

constexpr uint32_t kTooMany = 1 << 20;

}  // namespace

TEST_CASE("sources") {
  refuses({
      {"ERR_PROGRAM sources.interface", [](Delta& d) { d.sources.interface.pop_back(); }},
      {"ERR_PROGRAM sources.prefix", [](Delta& d) { d.sources.prefix.pop_back(); }},
      {"ERR_PROGRAM sources.interface[2]",
       [](Delta& d) {
         d.source(2, {ip(10, 0, 0, 0), 8});
       }},
      {"ERR_PROGRAM sources.length[0]", [](Delta& d) { d.sources.length[0] = 33; }},
      {"ERR_PROGRAM sources.prefix[0]", [](Delta& d) { d.sources.length[0] = 8; }},
  });
}

TEST_CASE("rule sets and rules") {
  refuses({
      {"ERR_PROGRAM ruleSets.first", [](Delta& d) { d.ruleSets.first.pop_back(); }},
      {"ERR_PROGRAM ruleSets.count", [](Delta& d) { d.ruleSets.count.push_back(0); }},
      {"ERR_CAPACITY ruleSets.slot[2]", [](Delta& d) { d.rule_set(kTooMany, {}); }},
      {"ERR_PROGRAM ruleSets.slot[2]", [](Delta& d) { d.rule_set(0, {}); }},
      {"ERR_PROGRAM ruleSets.first[1]", [](Delta& d) { d.ruleSets.first[1] = 5; }},
      {"ERR_PROGRAM ruleSets.count[1]", [](Delta& d) { d.ruleSets.count[1] = 3; }},
      {"ERR_PROGRAM ruleSets.count[1]", [](Delta& d) { d.ruleSets.count[1] = UINT32_MAX; }},
      {"ERR_PROGRAM ruleSets.first[1]", [](Delta& d) { d.ruleSets.first[1] = 2; }},
      {"ERR_PROGRAM rules.protocol", [](Delta& d) { d.rules.protocol.pop_back(); }},
      {"ERR_PROGRAM rules.portFirst", [](Delta& d) { d.rules.portFirst.pop_back(); }},
      {"ERR_PROGRAM rules.portLast", [](Delta& d) { d.rules.portLast.pop_back(); }},
      {"ERR_PROGRAM rules.action", [](Delta& d) { d.rules.action.pop_back(); }},
      {"ERR_PROGRAM rules.tier", [](Delta& d) { d.rules.tier.pop_back(); }},
      {"ERR_PROGRAM rules.rule", [](Delta& d) { d.rules.rule.push_back(0); }},
      {"ERR_PROGRAM rules.protocol[1]", [](Delta& d) { d.rules.protocol[1] = 1; }},
      {"ERR_PROGRAM rules.portLast[0]", [](Delta& d) { d.rules.portFirst[0] = 10; }},
      {"ERR_PROGRAM rules.action[2]", [](Delta& d) { d.rules.action[2] = 3; }},
      {"ERR_PROGRAM rules.tier[2]", [](Delta& d) { d.rules.tier[2] = 3; }},
      {"ERR_PROGRAM rules.tier[2]", [](Delta& d) { d.rules.tier[2] = 0; }},
      {"ERR_PROGRAM rules.action[1]",  // though no set refers to it
       [](Delta& d) { d.ruleSets.count[0] = 1, d.rules.action[1] = 9; }},
  });
}

TEST_CASE("tiers fall from one set to the next, and where there is no set") {
  TestProgram program;
  Delta delta = sound_delta();
  delta.rule_set(2, {"baseline deny any"}).rule_set(3, {"admin deny any", "admin accept any"});
  CHECK(program.commit(delta) == "");
  delta.ruleSets.count.back() = 1;
  delta.rules.tier.back() = 0;
  delta.rules.tier[5] = 2;
  CHECK(program.commit(delta) == "");
}

TEST_CASE("identities and memberships") {
  refuses({
      {"ERR_PROGRAM identities.ingress", [](Delta& d) { d.identities.ingress.pop_back(); }},
      {"ERR_PROGRAM identities.egress", [](Delta& d) { d.identities.egress.pop_back(); }},
      {"ERR_PROGRAM identities.first", [](Delta& d) { d.identities.first.pop_back(); }},
      {"ERR_PROGRAM identities.count", [](Delta& d) { d.identities.count.pop_back(); }},
      {"ERR_CAPACITY identities.slot[3]", [](Delta& d) { d.identity(kTooMany, {}); }},
      {"ERR_PROGRAM identities.slot[3]", [](Delta& d) { d.identity(1, {}); }},
      {"ERR_PROGRAM identities.ingress[3]", [](Delta& d) { d.identity(3, {.ingress = 2}); }},
      {"ERR_PROGRAM identities.egress[3]",
       [](Delta& d) { d.identity(3, {.egress = kPendingRules - 1}); }},
      {"ERR_PROGRAM identities.first[1]", [](Delta& d) { d.identities.first[1] = 3; }},
      {"ERR_PROGRAM identities.count[1]", [](Delta& d) { d.identities.count[1] = 2; }},
      {"ERR_PROGRAM identities.first[1]", [](Delta& d) { d.identities.first[1] = 1; }},
      {"ERR_PROGRAM memberships.selector[1]", [](Delta& d) { d.memberships.selector[1] = 3; }},
      {"ERR_PROGRAM memberships.selector[1]", [](Delta& d) { d.memberships.selector[0] = 6; }},
      {"ERR_PROGRAM memberships.selector[2]",
       [](Delta& d) { d.memberships.selector[2] = UINT32_MAX; }},
  });
}

TEST_CASE("networks of identities") {
  refuses({
      {"ERR_PROGRAM identityNetworks.prefix",
       [](Delta& d) { d.identityNetworks.prefix.pop_back(); }},
      {"ERR_PROGRAM identityNetworks.identity",
       [](Delta& d) { d.identityNetworks.identity.pop_back(); }},
      {"ERR_PROGRAM identityNetworks.length[0]",
       [](Delta& d) { d.identityNetworks.length[0] = 33; }},
      {"ERR_PROGRAM identityNetworks.prefix[0]",
       [](Delta& d) { d.identityNetworks.length[0] = 24; }},
      {"ERR_PROGRAM identityNetworks.prefix[3]",
       [](Delta& d) { d.identity_host(ip(10, 244, 0, 1), 2); }},
      {"ERR_PROGRAM identityNetworks.identity[3]",
       [](Delta& d) { d.identity_host(ip(10, 244, 0, 2), 3); }},
      {"ERR_PROGRAM identityNetworks.identity[3]",
       [](Delta& d) { d.identity_host(ip(10, 244, 0, 2), UINT32_MAX); }},
      {"ERR_PROGRAM removedIdentityNetworks.prefix[0]",
       [](Delta& d) {
         d.remove_identity_network({ip(10, 244, 0, 1), 31});
       }},
  });
}

TEST_CASE("a policy is judged by what is there once the delta is applied") {
  TestProgram program;
  REQUIRE(program.commit(sound_delta()) == "");
  const Network host{ip(10, 244, 0, 1), 32};

  CHECK(program.commit(Delta().remove_rule_set(9).remove_rule_set(0)) ==
        "ERR_PROGRAM removedRuleSets[1]");
  CHECK(program.commit(Delta().remove_rule_set(0).identity(0, {.egress = 0})) ==
        "ERR_PROGRAM identities.egress[0]");
  CHECK(program.commit(Delta().remove_rule_set(0).rule_set(0, {})) == "");
  CHECK(program.commit(Delta().remove_rule_set(0).identity(0, {.egress = 1})) == "");
  CHECK(program.commit(Delta().identity(2, {.ingress = 0})) == "ERR_PROGRAM identities.ingress[0]");
  CHECK(program.commit(Delta().remove_rule_set(1).identity(0, {})) ==
        "ERR_PROGRAM removedRuleSets[0]");  // 1 still names it

  CHECK(program.commit(Delta().remove_identity(9).remove_identity(0)) ==
        "ERR_PROGRAM removedIdentities[1]");
  CHECK(program.commit(Delta().remove_identity(0).identity_host(host.prefix, 0)) ==
        "ERR_PROGRAM identityNetworks.identity[0]");
  CHECK(program.commit(Delta().remove_identity(0).identity(0, {})) == "");
  Delta moved = Delta().remove_identity(0).identity_host(host.prefix, 2);
  CHECK(program.commit(moved) == "");
  CHECK(program.commit(Delta().identity_host(ip(10, 244, 0, 7), 0)) ==
        "ERR_PROGRAM identityNetworks.identity[0]");
  // Named twice, and released once though told twice.
  Delta once = Delta().remove_identity(2).remove_identity_network(host);
  once.remove_identity_network(host);
  CHECK(program.commit(once) == "ERR_PROGRAM removedIdentities[0]");
  CHECK(program.commit(once.remove_identity_network({ip(0, 0, 0, 0), 0})) == "");
  CHECK(program.commit(Delta().remove_identity(2).remove_identity_network(host)) == "");

  Delta rest = Delta().remove_rule_set(1).remove_identity(1).remove_identity_network(
      {ip6("fd00:244::1"), 128});
  CHECK(program.commit(rest) == "");
  CHECK(program.now->rule_sets.find(1) == nullptr);
  CHECK(program.now->identities.find(1) == nullptr);
  CHECK(program.now->v6.identities.empty());
  CHECK(program.before->identities.find(1) != nullptr);
}

}  // namespace sluice
