// SPDX-License-Identifier: Apache-2.0
#include "table/policy.h"

#include <algorithm>
#include <bit>
#include <numeric>

#include "base/mix.h"

namespace sluice {

RuleSet::RuleSet(std::span<const Rule> rules) {
  verdicts_.reserve(rules.size());
  for (const Rule& rule : rules) verdicts_.push_back({rule.number, rule.action, rule.tier});
  std::vector<uint32_t> rows(rules.size());
  std::iota(rows.begin(), rows.end(), 0);
  std::stable_sort(rows.begin(), rows.end(),
                   [&](uint32_t a, uint32_t b) { return rules[a].selector < rules[b].selector; });
  matches_.reserve(rules.size());
  for (const uint32_t row : rows) {
    const Rule& rule = rules[row];
    const auto at = static_cast<uint32_t>(matches_.size());
    if (groups_.empty() || groups_.back().selector != rule.selector) {
      groups_.push_back({rule.selector, at, at});
    }
    groups_.back().end++;
    matches_.push_back({row, rule.port_first, rule.port_last, rule.protocol, rule.tier});
  }
  if (!groups_.empty() && groups_.back().selector == kAnyPeer) {
    any_ = groups_.back();
    groups_.pop_back();
  }
  groups_.shrink_to_fit();
  make_places();
}

void RuleSet::make_places() {
  places_.resize(std::bit_ceil(groups_.size() * 4 / 3 + 1), {0, kNoGroup});
  for (uint32_t group = 0; group < groups_.size(); group++) {
    const uint32_t selector = groups_[group].selector;
    places_[place_of(selector)] = {selector, group};
  }
}

// Where the selector is, or the empty place where it would be.
uint32_t RuleSet::place_of(uint32_t selector) const {
  const auto mask = static_cast<uint32_t>(places_.size() - 1);
  uint32_t at = mix(selector) & mask;
  while (places_[at].group != kNoGroup && places_[at].selector != selector) at = (at + 1) & mask;
  return at;
}

// The first row of the group that is for the question, of this tier or a later one, if it comes
// before `best`; else `best`.
uint32_t RuleSet::first_match_in(const Group& group, const PolicyQuestion& question, RuleTier from,
                                 uint32_t best) const {
  for (uint32_t at = group.first; at < group.end; at++) {
    const Match& match = matches_[at];
    if (match.row >= best) break;
    if (match.tier >= from && match.is_for(question)) return match.row;
  }
  return best;
}

uint32_t RuleSet::first_match(const PolicyQuestion& question, RuleTier from) const {
  const std::span<const uint32_t> peer = question.peer;
  uint32_t best = first_match_in(any_, question, from, kNoRow);
  if (peer.size() <= groups_.size()) {
    for (const uint32_t selector : peer) {
      const uint32_t group = places_[place_of(selector)].group;
      if (group != kNoGroup) best = first_match_in(groups_[group], question, from, best);
    }
  } else {
    for (const Group& group : groups_) {
      if (!std::binary_search(peer.begin(), peer.end(), group.selector)) continue;
      best = first_match_in(group, question, from, best);
    }
  }
  return best;
}

Judgement RuleSet::ask(const PolicyQuestion& question) const {
  RuleTier from = RuleTier::admin;
  for (;;) {
    const uint32_t row = first_match(question, from);
    if (row == kNoRow) return {true, {}};
    const Verdict& verdict = verdicts_[row];
    if (verdict.action != RuleAction::pass) {
      return {verdict.action == RuleAction::accept, verdict.number};
    }
    if (verdict.tier == RuleTier::baseline) return {true, {}};
    from = static_cast<RuleTier>(static_cast<uint8_t>(verdict.tier) + 1);
  }
}

}  // namespace sluice
