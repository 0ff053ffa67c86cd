// SPDX-License-Identifier: Apache-2.0
// Rules 17 to 25 of docs/program.md: sources of interfaces, rule sets and identities.
#include <unordered_set>

#include "config/check_rows.h"
#include "packet/headers.h"

namespace sluice {
namespace {

using Set = std::unordered_set<uint32_t>;
using Networks = std::unordered_set<RouteKey, HashOfBytes>;

constexpr auto kMaxAction = static_cast<uint8_t>(RuleAction::pass);
constexpr auto kMaxTier = static_cast<uint8_t>(RuleTier::baseline);

// Rows of a table that rows of another one refer to by a first one and a number of them.
class Owners {
 public:
  explicit Owners(size_t rows) : first_rows_(rows, kUnowned) {}

  struct Fault {
    bool of_first;  // else of the count
    const char* message;
  };
  std::optional<Fault> claim(uint64_t first, uint64_t count) {
    if (count > 0 && first >= first_rows_.size()) return Fault{true, "is beyond the rows"};
    if (count > 0 && first + count > first_rows_.size()) {
      return Fault{false, "reaches beyond the rows"};
    }
    for (uint64_t at = first; at < first + count; at++) {
      if (first_rows_[at] != kUnowned) return Fault{true, "overlaps with another one"};
      first_rows_[at] = first;
    }
    return {};
  }
  // The row before has the same owner.
  bool goes_on(size_t row) const { return first_rows_[row] != kUnowned && first_rows_[row] != row; }
  bool is_owned(size_t row) const { return first_rows_[row] != kUnowned; }

 private:
  static constexpr uint64_t kUnowned = UINT64_MAX;
  std::vector<uint64_t> first_rows_;
};

class Check {
 public:
  Check(const ProgramDelta& delta, const Master& master)
      : delta_(delta),
        master_(master),
        put_rule_sets_(delta.ruleSets.slot.begin(), delta.ruleSets.slot.end()),
        gone_rule_sets_(delta.removedRuleSets.begin(), delta.removedRuleSets.end()),
        put_identities_(delta.identities.slot.begin(), delta.identities.slot.end()),
        gone_identities_(delta.removedIdentities.begin(), delta.removedIdentities.end()),
        rules_(delta.rules.selector.size()),
        memberships_(delta.memberships.selector.size()) {}

  Status run() {
    if (delta_.sources_given) {
      if (auto error = sources()) return error;
    }
    if (auto error = rule_sets()) return error;
    if (auto error = rules()) return error;
    if (auto error = identities()) return error;
    if (auto error = memberships()) return error;
    if (auto error = removed_rule_sets()) return error;
    if (auto error = identity_networks()) return error;
    if (auto error =
            check_prefixes("removedIdentityNetworks.prefix", "removedIdentityNetworks.length",
                           delta_.removedIdentityNetworks)) {
      return error;
    }
    return removed_identities();
  }

 private:
  // Judged by what will be there.
  bool will_be_rule_set(uint32_t slot) const {
    return put_rule_sets_.contains(slot) ||
           (master_.has_rule_set(slot) && !gone_rule_sets_.contains(slot));
  }
  bool will_be_identity(uint32_t slot) const {
    return put_identities_.contains(slot) ||
           (master_.has_identity(slot) && !gone_identities_.contains(slot));
  }
  bool may_be_named(uint32_t rules) const {
    return rules == kNoRules || rules == kPendingRules || will_be_rule_set(rules);
  }

  Status sources() const {
    const auto& table = delta_.sources;
    const size_t rows = table.length.size();
    if (auto error = check_sizes(rows, {{"sources.interface", table.interface.size()},
                                        {"sources.prefix", table.prefix.size(), 16}})) {
      return error;
    }
    for (size_t row = 0; row < rows; row++) {
      if (!master_.has_interface(table.interface[row])) {
        return program_error("sources.interface", row, kUnknownInterface);
      }
      if (auto error = check_prefix("sources.prefix", "sources.length",
                                    address_of(table.prefix, row), table.length[row], row)) {
        return error;
      }
    }
    return {};
  }

  Status rule_sets() {
    const auto& table = delta_.ruleSets;
    const size_t rows = table.slot.size();
    if (auto error = check_sizes(rows, {{"ruleSets.first", table.first.size()},
                                        {"ruleSets.count", table.count.size()}})) {
      return error;
    }
    Set slots;
    for (size_t row = 0; row < rows; row++) {
      const uint32_t slot = table.slot[row];
      if (slot >= kMaxSlots) return capacity_error("ruleSets.slot", row, kBeyond);
      if (!slots.insert(slot).second) return program_error("ruleSets.slot", row, kTwice);
      if (const auto fault = rules_.claim(table.first[row], table.count[row])) {
        return program_error(fault->of_first ? "ruleSets.first" : "ruleSets.count", row,
                             fault->message);
      }
    }
    return {};
  }

  Status rules() const {
    const auto& table = delta_.rules;
    const size_t rows = table.selector.size();
    if (auto error = check_sizes(rows, {{"rules.protocol", table.protocol.size()},
                                        {"rules.portFirst", table.portFirst.size()},
                                        {"rules.portLast", table.portLast.size()},
                                        {"rules.action", table.action.size()},
                                        {"rules.tier", table.tier.size()},
                                        {"rules.rule", table.rule.size()}})) {
      return error;
    }
    for (size_t row = 0; row < rows; row++) {
      const uint8_t protocol = table.protocol[row];
      if (protocol != 0 && protocol != kProtocolTcp && protocol != kProtocolUdp &&
          protocol != kProtocolSctp) {
        return program_error("rules.protocol", row, "is no protocol of a rule");
      }
      if (table.portLast[row] < table.portFirst[row]) {
        return program_error("rules.portLast", row, "is below the first port");
      }
      if (table.action[row] > kMaxAction) {
        return program_error("rules.action", row, "is no action");
      }
      if (table.tier[row] > kMaxTier) return program_error("rules.tier", row, "is no tier");
      if (rules_.goes_on(row) && table.tier[row] < table.tier[row - 1]) {
        return program_error("rules.tier", row, "is below that of the rule before");
      }
    }
    return {};
  }

  Status identities() {
    const auto& table = delta_.identities;
    const size_t rows = table.slot.size();
    if (auto error = check_sizes(rows, {{"identities.ingress", table.ingress.size()},
                                        {"identities.egress", table.egress.size()},
                                        {"identities.first", table.first.size()},
                                        {"identities.count", table.count.size()}})) {
      return error;
    }
    Set slots;
    for (size_t row = 0; row < rows; row++) {
      const uint32_t slot = table.slot[row];
      if (slot >= kMaxSlots) return capacity_error("identities.slot", row, kBeyond);
      if (!slots.insert(slot).second) return program_error("identities.slot", row, kTwice);
      if (!may_be_named(table.ingress[row])) {
        return program_error("identities.ingress", row, kUnknownRuleSet);
      }
      if (!may_be_named(table.egress[row])) {
        return program_error("identities.egress", row, kUnknownRuleSet);
      }
      if (const auto fault = memberships_.claim(table.first[row], table.count[row])) {
        return program_error(fault->of_first ? "identities.first" : "identities.count", row,
                             fault->message);
      }
    }
    return {};
  }

  Status memberships() const {
    const auto& selectors = delta_.memberships.selector;
    for (size_t row = 0; row < selectors.size(); row++) {
      if (!memberships_.is_owned(row)) continue;
      if (selectors[row] == kAnyPeer) {
        return program_error("memberships.selector", row, "is no selector");
      }
      if (memberships_.goes_on(row) && selectors[row] <= selectors[row - 1]) {
        return program_error("memberships.selector", row, "is not above the one before");
      }
    }
    return {};
  }

  Status removed_rule_sets() const {
    if (delta_.removedRuleSets.empty()) return {};
    // Identities that are to go, or to be put anew, name their old sets no longer.
    Counts released;
    Set changed = gone_identities_;
    changed.insert(put_identities_.begin(), put_identities_.end());
    for (uint32_t slot : changed) {
      const Identity* identity = master_.snapshot.identities.find(slot);
      if (identity == nullptr) continue;
      released[identity->ingress]++;
      released[identity->egress]++;
    }
    for (size_t row = 0; row < delta_.removedRuleSets.size(); row++) {
      const uint32_t slot = delta_.removedRuleSets[row];
      if (put_rule_sets_.contains(slot)) continue;
      if (is_referred_to(slot, master_.rule_set_references, released)) {
        return program_error("removedRuleSets", row, "is a rule set that an identity still names");
      }
    }
    return {};
  }

  Status identity_networks() {
    const auto& table = delta_.identityNetworks;
    const size_t rows = table.length.size();
    if (auto error = check_sizes(rows, {{"identityNetworks.prefix", table.prefix.size(), 16},
                                        {"identityNetworks.identity", table.identity.size()}})) {
      return error;
    }
    for (size_t row = 0; row < rows; row++) {
      const RouteKey network{address_of(table.prefix, row), table.length[row]};
      if (auto error = check_prefix("identityNetworks.prefix", "identityNetworks.length",
                                    network.prefix, network.length, row)) {
        return error;
      }
      if (!put_networks_.insert(network).second) {
        return program_error("identityNetworks.prefix", row, kTwice);
      }
      if (!will_be_identity(table.identity[row])) {
        return program_error("identityNetworks.identity", row, "names no identity");
      }
    }
    return {};
  }

  Status removed_identities() const {
    if (delta_.removedIdentities.empty()) return {};
    // Networks that are to go, or to be put anew, have their old identities no longer.
    const auto& removed = delta_.removedIdentityNetworks;
    Networks changed = put_networks_;
    for (size_t row = 0; row < removed.length.size(); row++) {
      changed.insert({address_of(removed.prefix, row), removed.length[row]});
    }
    Counts released;
    for (const RouteKey& network : changed) released[master_.identity_of(network)]++;
    for (size_t row = 0; row < delta_.removedIdentities.size(); row++) {
      const uint32_t slot = delta_.removedIdentities[row];
      if (put_identities_.contains(slot)) continue;
      if (is_referred_to(slot, master_.identity_references, released)) {
        return program_error("removedIdentities", row, "is an identity that a network still has");
      }
    }
    return {};
  }

  static constexpr const char* kUnknownRuleSet = "names no rule set";

  const ProgramDelta& delta_;
  const Master& master_;
  Set put_rule_sets_;
  Set gone_rule_sets_;
  Set put_identities_;
  Set gone_identities_;
  Owners rules_;
  Owners memberships_;
  Networks put_networks_;
};

}  // namespace

Status check_policy(const ProgramDelta& delta, const Master& master) {
  return Check(delta, master).run();
}

}  // namespace sluice
