// SPDX-License-Identifier: Apache-2.0
#include "stage/policy.h"

namespace sluice {
namespace {

// Who has none is in no selector, and has no rules.
template <class F>
const Identity& identity_of(const typename F::Address& address, const Snapshot& snapshot) {
  static const Identity kNobody;
  const IdentityTable<F>& table = snapshot.of<F>().identities;
  if (table.empty()) return kNobody;
  const uint32_t number = table.lookup(address);
  return number == kNoIdentity ? kNobody : *snapshot.identities.find(number);
}

template <class F>
Judgement ask(uint32_t rules, const Identity& peer, const Conversation<F>& about,
              const Snapshot& snapshot) {
  if (rules == kNoRules) return {true, {}};
  return snapshot.rule_sets.find(rules)->ask(
      {peer.selectors, about.protocol, about.port.host(), about.source == about.destination});
}

}  // namespace

template <class F>
PolicyVerdict judge_identities(const Conversation<F>& conversation, const Snapshot& snapshot) {
  const auto& [source, destination, protocol, port, by_service] = conversation;
  const FamilyView<F>& family = snapshot.of<F>();
  const Identity& from = identity_of<F>(source, snapshot);
  const Identity& to = identity_of<F>(destination, snapshot);
  PolicyVerdict verdict;
  if (from.is_pending() || to.is_pending()) {
    verdict.refused = DropReason::policy_pending;
    return verdict;
  }
  if (family.is_own_address(source) || family.is_own_address(destination)) return verdict;
  if (source == destination && !by_service) return verdict;
  verdict.egress = ask<F>(from.egress, to, conversation, snapshot);
  if (!verdict.egress->allowed) {
    verdict.refused = DropReason::policy_denied_egress;
    return verdict;
  }
  verdict.ingress = ask<F>(to.ingress, from, conversation, snapshot);
  if (!verdict.ingress->allowed) verdict.refused = DropReason::policy_denied_ingress;
  return verdict;
}

template <class F>
bool is_protected(const typename F::Address& address, const Snapshot& snapshot) {
  return !snapshot.of<F>().identities.empty() && identity_of<F>(address, snapshot).is_protected();
}

template PolicyVerdict judge_identities<Ipv4>(const Conversation<Ipv4>&, const Snapshot&);
template PolicyVerdict judge_identities<Ipv6>(const Conversation<Ipv6>&, const Snapshot&);
template bool is_protected<Ipv4>(const be32&, const Snapshot&);
template bool is_protected<Ipv6>(const Address&, const Snapshot&);

}  // namespace sluice
