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
PolicyVerdict judge_policy(const Conversation<F>& conversation, const Snapshot& snapshot);

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
