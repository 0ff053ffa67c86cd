// SPDX-License-Identifier: Apache-2.0
#include "table/policy.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <random>

#include "testing/rules.h"

namespace sluice {
namespace {

// The rules as they are written down.
Judgement ask_plainly(const std::vector<Rule>& rules, const PolicyQuestion& question) {
  auto from = RuleTier::admin;
  for (const Rule& rule : rules) {
    if (rule.tier < from || (question.same && rule.tier == RuleTier::network)) continue;
    const bool peer =
        rule.selector == kAnyPeer ||
        std::find(question.peer.begin(), question.peer.end(), rule.selector) != question.peer.end();
    const bool service =
        rule.protocol == 0 || (rule.protocol == question.protocol &&
                               rule.port_first <= question.port && question.port <= rule.port_last);
    if (!peer || !service) continue;
    if (rule.action != RuleAction::pass) return {rule.action == RuleAction::accept, rule.number};
    if (rule.tier == RuleTier::baseline) break;
    from = static_cast<RuleTier>(static_cast<uint8_t>(rule.tier) + 1);
  }
  return {true, {}};
}

struct Asked {
  std::vector<std::string> rules;
  uint8_t protocol;
  uint16_t port;
  Judgement judgement;
  bool same = false;
};

constexpr Judgement kUnmet{true, {}};
Judgement accepted(uint32_t rule) { return {true, rule}; }
Judgement denied(uint32_t rule) { return {false, rule}; }

}  // namespace

TEST_CASE("the first rule that is for the peer, the protocol and the port") {
  const std::vector<uint32_t> peer = {1, 5, UINT32_MAX - 1};
  const Asked all[] = {
      {{}, kProtocolTcp, 80, kUnmet},
      {{"deny any"}, kProtocolTcp, 80, denied(0)},
      {{"deny any"}, kProtocolIcmp, 0, denied(0)},
      {{"deny @1"}, kProtocolTcp, 80, denied(0)},
      {{"deny @4294967294"}, kProtocolTcp, 80, denied(0)},
      {{"deny @2", "deny @3", "deny @4", "deny @6"}, kProtocolTcp, 80, kUnmet},
      {{"accept @5", "deny @1"}, kProtocolTcp, 80, accepted(0)},
      {{"deny @5", "accept @1"}, kProtocolTcp, 80, denied(0)},
      {{"deny @2", "accept any", "deny @1"}, kProtocolTcp, 80, accepted(1)},
      {{"deny any tcp"}, kProtocolTcp, 0, denied(0)},
      {{"deny any tcp"}, kProtocolTcp, 65535, denied(0)},
      {{"deny any tcp"}, kProtocolUdp, 80, kUnmet},
      {{"deny any tcp", "deny any udp", "deny any sctp"}, kProtocolIcmp, 0, kUnmet},
      {{"deny any tcp/80-90"}, kProtocolTcp, 79, kUnmet},
      {{"deny any tcp/80-90"}, kProtocolTcp, 80, denied(0)},
      {{"deny any tcp/80-90"}, kProtocolTcp, 90, denied(0)},
      {{"deny any tcp/80-90"}, kProtocolTcp, 91, kUnmet},
      {{"admin pass any", "admin deny any"}, kProtocolTcp, 80, kUnmet},
      {{"admin pass @2", "admin deny any"}, kProtocolTcp, 80, denied(1)},
      {{"admin pass @5", "accept @1", "baseline deny any"}, kProtocolTcp, 80, accepted(1)},
      {{"admin pass any", "pass any", "deny any", "baseline deny @1"}, kProtocolTcp, 80, denied(3)},
      {{"baseline pass any", "baseline deny any"}, kProtocolTcp, 80, kUnmet},
      {{"deny any", "baseline accept any"}, kProtocolTcp, 80, accepted(1), true},
      {{"admin deny any", "accept any"}, kProtocolTcp, 80, denied(0), true},
      {{"admin pass any", "deny any"}, kProtocolTcp, 80, kUnmet, true},
  };
  for (const Asked& each : all) {
    INFO(each.rules.size(), " rules");
    if (!each.rules.empty()) INFO(each.rules[0]);
    const RuleSet set(rules_of(each.rules));
    CHECK(set.ask({peer, each.protocol, each.port, each.same}) == each.judgement);
  }
}

TEST_CASE("many rules and many selectors say what a walk over the rules says") {
  std::mt19937 random(7);
  const uint8_t protocols[] = {0, kProtocolTcp, kProtocolUdp, kProtocolSctp, kProtocolIcmp};
  uint32_t met = 0, refused = 0;
  for (int round = 0; round < 300; round++) {
    const uint32_t selectors = 1 + random() % 40;
    std::vector<Rule> rules;
    for (uint32_t row = 0, count = random() % 60; row < count; row++) {
      const auto first = static_cast<uint16_t>(random() % 20);
      rules.push_back({random() % 12 == 0 ? kAnyPeer : static_cast<uint32_t>(random() % selectors),
                       protocols[random() % 4], first, static_cast<uint16_t>(first + random() % 9),
                       static_cast<RuleAction>(random() % 3),
                       static_cast<RuleTier>(3 * row / (count + 1)), 1000 + row});
    }
    const RuleSet set(rules);
    for (int question = 0; question < 60; question++) {
      std::vector<uint32_t> peer;
      const uint32_t share = 1 + random() % 40;
      for (uint32_t selector = 0; selector < selectors; selector++) {
        if (random() % share == 0) peer.push_back(selector);
      }
      const PolicyQuestion asked{peer, protocols[1 + random() % 4],
                                 static_cast<uint16_t>(random() % 30), random() % 4 == 0};
      const Judgement judgement = set.ask(asked);
      REQUIRE(judgement == ask_plainly(rules, asked));
      met += judgement.rule.has_value();
      refused += !judgement.allowed;
    }
  }
  CHECK(met > 4000);
  CHECK(refused > 2000);
}

}  // namespace sluice
