// SPDX-License-Identifier: Apache-2.0
// Theory of operation. Finds the flow of TCP, UDP, SCTP and echo packets, and of the ICMP errors
// that quote one. On the way a pair is removed that has expired, whose backend is gone or flushed,
// or that a new connection supersedes; the packet is a miss then, or dropped. What is left the
// policy is asked about, whenever the shortcut does not know the answer (docs/packet-path.md,
// "flow").
#pragma once

#include "packet/burst.h"
#include "stage/context.h"
#include "stage/policy.h"

namespace sluice {

template <class F>
void run_flow(Burst& burst, Context& context);

// What the entry that was found means for a packet.
enum class FlowVerdict : uint8_t {
  none,        // there is no entry
  expired,     // and this pair is to be removed: a miss
  cleared,     // its backend is gone or flushed, and it is to be removed: a miss
  flushed,     // it is to be removed, and the packet dropped
  superseded,  // it is to be removed for a new connection on its tuple: a miss
  denied,      // by the policy: it stays, and the packet is to be dropped
  hit,
};
struct FlowFound {
  FlowVerdict verdict;
  uint32_t index;
  PolicyVerdict policy;  // of denied and hit
};
template <class F>
FlowFound judge_flow(const Packet& packet, const Context& context);

// False: a miss. True: the packet belongs to a flow, which has counted it, or was dropped. Also
// what nat asks before it makes one.
template <class F>
bool follow_flow(Packet& packet, Context& context);

// Removes a pair that has expired.
template <class F>
void remove_expired(uint32_t index, Context& context);

// For the sweep: UDP and echo end with their backend.
template <class F>
bool is_stale(const FlowEntry<F>& entry, const Snapshot& snapshot);

}  // namespace sluice
