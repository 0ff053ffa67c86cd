// SPDX-License-Identifier: Apache-2.0
// Rules of a policy in words, for tests.
#pragma once

#include <initializer_list>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

#include "packet/headers.h"
#include "table/policy.h"

namespace sluice {

// Tier (by default network), action, peer (`any`, or `@` and the number of a selector), and
// protocol with ports: "accept any", "deny @3 tcp/80", "admin pass @3", "baseline deny any
// udp/53-60".
inline Rule rule_of(const std::string& text, uint32_t number) {
  Rule rule{kAnyPeer, 0, 0, UINT16_MAX, RuleAction::deny, RuleTier::network, number};
  std::istringstream words(text);
  for (std::string word; words >> word;) {
    const auto slash = word.find('/');
    const std::string name = word.substr(0, slash);
    if (name == "admin") {
      rule.tier = RuleTier::admin;
    } else if (name == "baseline") {
      rule.tier = RuleTier::baseline;
    } else if (name == "deny" || name == "any") {
      continue;
    } else if (name == "accept") {
      rule.action = RuleAction::accept;
    } else if (name == "pass") {
      rule.action = RuleAction::pass;
    } else if (name[0] == '@') {
      rule.selector = static_cast<uint32_t>(std::stoul(name.substr(1)));
    } else if (name == "tcp" || name == "udp" || name == "sctp") {
      rule.protocol = name == "tcp" ? kProtocolTcp : name == "udp" ? kProtocolUdp : kProtocolSctp;
    } else {
      throw std::invalid_argument(text);
    }
    if (slash == std::string::npos) continue;
    const std::string ports = word.substr(slash + 1);
    const auto dash = ports.find('-');
    rule.port_first = static_cast<uint16_t>(std::stoul(ports));
    rule.port_last = dash == std::string::npos
                         ? rule.port_first
                         : static_cast<uint16_t>(std::stoul(ports.substr(dash + 1)));
  }
  return rule;
}

// Numbered from `number` on.
inline std::vector<Rule> rules_of(const std::vector<std::string>& texts, uint32_t number = 0) {
  std::vector<Rule> rules;
  for (const std::string& text : texts) rules.push_back(rule_of(text, number++));
  return rules;
}

}  // namespace sluice
