// SPDX-License-Identifier: Apache-2.0
// Theory of operation. What a set of rules says of a peer, a protocol and a port: the first rule
// that is for them, in the order of the set; a rule that passes hands the question on to the tiers
// behind its own (docs/packet-path.md, "policy"). Of many rules few name a selector that the peer
// is a member of. So rules are kept by selector, ascending, and the shorter of two lists, the
// peer's selectors and the set's, is looked up in the longer one: what a question costs depends on
// what the peer is a member of, not on how many rules there are. Immutable.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace sluice {

// `selector` of a rule: whoever the peer is.
inline constexpr uint32_t kAnyPeer = UINT32_MAX;
// Of an identity, in place of a rule set: everything may pass; nothing, for the rules are not known
// yet.
inline constexpr uint32_t kNoRules = UINT32_MAX;
inline constexpr uint32_t kPendingRules = UINT32_MAX - 1;

enum class RuleAction : uint8_t { deny, accept, pass };
// In the order in which they are asked.
enum class RuleTier : uint8_t { admin, network, baseline };

struct Rule {
  uint32_t selector;
  uint8_t protocol;  // 0: any, ports or none
  uint16_t port_first, port_last;
  RuleAction action;
  RuleTier tier;    // never falls within a set
  uint32_t number;  // the program's
};

struct PolicyQuestion {
  std::span<const uint32_t> peer;  // its selectors, ascending
  uint8_t protocol;
  uint16_t port;
  bool same;  // the peer is who asks: rules of the tier `network` are passed over
};

// The word on one direction.
struct Judgement {
  bool allowed;
  std::optional<uint32_t> rule;  // number; nothing: no rule was for it
  bool operator==(const Judgement&) const = default;
};

class RuleSet {
 public:
  explicit RuleSet(std::span<const Rule> rules);
  Judgement ask(const PolicyQuestion& question) const;

 private:
  // What is asked of a rule, and which one it is.
  struct Match {
    uint32_t row;
    uint16_t port_first, port_last;
    uint8_t protocol;
    RuleTier tier;

    bool is_for(const PolicyQuestion& question) const {
      if (question.same && tier == RuleTier::network) return false;
      return protocol == 0 || (protocol == question.protocol && port_first <= question.port &&
                               question.port <= port_last);
    }
  };
  struct Verdict {
    uint32_t number;
    RuleAction action;
    RuleTier tier;
  };
  static constexpr uint32_t kNoRow = UINT32_MAX;

  uint32_t first_match(const PolicyQuestion& question, RuleTier from) const;
  uint32_t first_match_in(size_t selector, const PolicyQuestion& question, RuleTier from,
                          uint32_t best) const;

  std::vector<Verdict> verdicts_;    // by row
  std::vector<uint32_t> selectors_;  // distinct, ascending; kAnyPeer is the last, if it is there
  std::vector<uint32_t> starts_;     // of each in matches_; and the end
  std::vector<Match> matches_;       // by selector, then by row
};

// What addresses that no rule tells apart have in common.
struct Identity {
  uint32_t ingress = kNoRules;        // slot of a rule set, kNoRules or kPendingRules
  uint32_t egress = kNoRules;         // the same
  std::vector<uint32_t> selectors{};  // that hold it, ascending

  bool is_protected() const { return ingress != kNoRules || egress != kNoRules; }
  bool is_pending() const { return ingress == kPendingRules || egress == kPendingRules; }
};

}  // namespace sluice
