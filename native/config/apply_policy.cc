// SPDX-License-Identifier: Apache-2.0
#include "config/master.h"

namespace sluice {
namespace {

void apply_sources(const ProgramDelta& delta, Snapshot& snapshot) {
  if (!delta.sources_given) return;
  const std::span<InterfaceView> interfaces = snapshot.interfaces.edit();
  for (InterfaceView& view : interfaces) {
    view.has_sources = false;
    view.sources4.clear();
    view.sources6.clear();
  }
  const auto& table = delta.sources;
  for (size_t row = 0; row < table.interface.size(); row++) {
    InterfaceView& view = interfaces[table.interface[row]];
    const Address prefix = address_of(table.prefix, row);
    view.has_sources = true;
    if (prefix.is_ipv4()) {
      view.sources4.push_back({Ipv4::from(prefix), table.length[row]});
    } else {
      view.sources6.push_back({prefix, table.length[row]});
    }
  }
}

std::shared_ptr<const RuleSet> make_rule_set(const ProgramDelta& delta, size_t row) {
  const auto& table = delta.rules;
  const size_t first = delta.ruleSets.first[row], count = delta.ruleSets.count[row];
  std::vector<Rule> rules;
  rules.reserve(count);
  for (size_t at = first; at < first + count; at++) {
    rules.push_back({table.selector[at], table.protocol[at], table.portFirst[at],
                     table.portLast[at], static_cast<RuleAction>(table.action[at]),
                     static_cast<RuleTier>(table.tier[at]), table.rule[at]});
  }
  return std::make_shared<const RuleSet>(rules);
}

void apply_rule_sets(const ProgramDelta& delta, Master& master) {
  auto& rule_sets = master.snapshot.rule_sets;
  for (uint32_t slot : delta.removedRuleSets) {
    if (master.has_rule_set(slot)) rule_sets.put(slot, nullptr);
  }
  for (size_t row = 0; row < delta.ruleSets.slot.size(); row++) {
    rule_sets.put(delta.ruleSets.slot[row], make_rule_set(delta, row));
  }
}

bool is_rule_set(uint32_t name) { return name != kNoRules && name != kPendingRules; }

void remove_identity(uint32_t slot, Master& master) {
  const Identity* identity = master.snapshot.identities.find(slot);
  if (identity == nullptr) return;
  for (uint32_t name : {identity->ingress, identity->egress}) {
    if (is_rule_set(name)) release(master.rule_set_references, name);
  }
  master.snapshot.identities.put(slot, nullptr);
}

void apply_identities(const ProgramDelta& delta, Master& master) {
  for (uint32_t slot : delta.removedIdentities) remove_identity(slot, master);
  const auto& table = delta.identities;
  const auto selectors = delta.memberships.selector.begin();
  for (size_t row = 0; row < table.slot.size(); row++) {
    remove_identity(table.slot[row], master);
    auto identity = std::make_shared<Identity>();
    identity->ingress = table.ingress[row];
    identity->egress = table.egress[row];
    if (table.count[row] > 0) {
      const auto first = selectors + table.first[row];
      identity->selectors.assign(first, first + table.count[row]);
    }
    for (uint32_t name : {identity->ingress, identity->egress}) {
      if (is_rule_set(name)) master.rule_set_references[name]++;
    }
    master.snapshot.identities.put(table.slot[row], std::move(identity));
  }
}

// Calls `change(table of the network's family, network)`.
template <class Change>
void change_networks(const RouteKey& network, Master& master, Change&& change) {
  if (network.prefix.is_ipv4()) {
    change(master.snapshot.v4.identities, Prefix<Ipv4>{Ipv4::from(network.prefix), network.length});
  } else {
    change(master.snapshot.v6.identities, Prefix<Ipv6>{network.prefix, network.length});
  }
}

void release_network(const RouteKey& network, Master& master) {
  const uint32_t identity = master.identity_of(network);
  if (identity != kNoIdentity) release(master.identity_references, identity);
}

void apply_identity_networks(const ProgramDelta& delta, Master& master) {
  const auto& gone = delta.removedIdentityNetworks;
  for (size_t row = 0; row < gone.length.size(); row++) {
    const RouteKey network{address_of(gone.prefix, row), gone.length[row]};
    release_network(network, master);
    change_networks(network, master, [](auto& table, const auto& prefix) { table.remove(prefix); });
  }
  const auto& put = delta.identityNetworks;
  for (size_t row = 0; row < put.length.size(); row++) {
    const RouteKey network{address_of(put.prefix, row), put.length[row]};
    const uint32_t identity = put.identity[row];
    release_network(network, master);
    master.identity_references[identity]++;
    change_networks(network, master,
                    [&](auto& table, const auto& prefix) { table.put(prefix, identity); });
  }
}

}  // namespace

void apply_policy(const ProgramDelta& delta, Master& master) {
  apply_sources(delta, master.snapshot);
  apply_rule_sets(delta, master);
  apply_identities(delta, master);
  apply_identity_networks(delta, master);
}

}  // namespace sluice
