// SPDX-License-Identifier: Apache-2.0
// Theory of operation. Who may talk to whom: identities of two addresses, and what the rule sets of
// the source's egress and the destination's ingress say. Without state, and without a packet
// (docs/packet-path.md, "policy"). Flow, service and nat ask; a flow's shortcut remembers the
// answer for as long as the snapshot's stamp is the same.
#pragma once

#include <optional>

#include "config/snapshot.h"
#include "table/flow_entry.h"

namespace sluice {

// What is asked about: behind the choice of a backend, before masquerade.
template <class F>
struct Conversation {
  typename F::Address source;
  typename F::Address destination;
  uint8_t protocol;
  be16 port;        // of the destination
  bool by_service;  // the destination is a backend that was chosen
};

struct PolicyVerdict {
  std::optional<DropReason> refused;
  // What the rules said, as far as it came to that.
  std::optional<Judgement> egress, ingress;
};

template <class F>
PolicyVerdict judge_identities(const Conversation<F>& conversation, const Snapshot& snapshot);

// Where nobody has an identity, what is left of it is for every new flow, and so it is here.
template <class F>
PolicyVerdict judge_policy(const Conversation<F>& conversation, const Snapshot& snapshot) {
  const FamilyView<F>& family = snapshot.of<F>();
  if (!family.identities.empty()) return judge_identities<F>(conversation, snapshot);
  const auto& [source, destination, protocol, port, by_service] = conversation;
  if (family.is_own_address(source) || family.is_own_address(destination)) return {};
  if (source == destination && !by_service) return {};
  return {{}, Judgement{true, {}}, Judgement{true, {}}};
}

// The conversation of a pair, whichever way its packets go.
template <class F>
Conversation<F> conversation_of(const FlowEntry<F>& forward) {
  return {forward.key.source, forward.destination, forward.key.protocol, forward.destination_port,
          forward.backend_slot != kNoBackend};
}

// Connections from and to it are tracked.
template <class F>
bool is_protected(const typename F::Address& address, const Snapshot& snapshot);

}  // namespace sluice
