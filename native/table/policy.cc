// SPDX-License-Identifier: Apache-2.0
#include "table/policy.h"

#include <algorithm>
#include <numeric>

namespace sluice {
namespace {

// Calls `visit(place in few, place in many)` for each number that is in both; ascending lists.
template <class Visit>
void each_common(std::span<const uint32_t> few, std::span<const uint32_t> many, Visit&& visit) {
  auto at = many.begin();
  for (size_t i = 0; i < few.size(); i++) {
    at = std::lower_bound(at, many.end(), few[i]);
    if (at == many.end()) return;
    if (*at == few[i]) visit(i, static_cast<size_t>(at - many.begin()));
  }
}

}  // namespace

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
    if (selectors_.empty() || selectors_.back() != rule.selector) {
      selectors_.push_back(rule.selector);
      starts_.push_back(static_cast<uint32_t>(matches_.size()));
    }
    matches_.push_back({row, rule.port_first, rule.port_last, rule.protocol, rule.tier});
  }
  starts_.push_back(static_cast<uint32_t>(matches_.size()));
  selectors_.shrink_to_fit();
  starts_.shrink_to_fit();
}

// The first row of the selector that is for the question, of this tier or a later one, if it comes
// before `best`; else `best`.
uint32_t RuleSet::first_match_in(size_t selector, const PolicyQuestion& question, RuleTier from,
                                 uint32_t best) const {
  for (uint32_t at = starts_[selector]; at < starts_[selector + 1]; at++) {
    const Match& match = matches_[at];
    if (match.row >= best) break;
    if (match.tier >= from && match.is_for(question)) return match.row;
  }
  return best;
}

uint32_t RuleSet::first_match(const PolicyQuestion& question, RuleTier from) const {
  uint32_t best = kNoRow;
  if (selectors_.empty()) return best;
  auto look_at = [&](size_t selector) { best = first_match_in(selector, question, from, best); };
  if (selectors_.back() == kAnyPeer) look_at(selectors_.size() - 1);
  if (question.peer.size() <= selectors_.size()) {
    each_common(question.peer, selectors_, [&](size_t, size_t selector) { look_at(selector); });
  } else {
    each_common(selectors_, question.peer, [&](size_t selector, size_t) { look_at(selector); });
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
