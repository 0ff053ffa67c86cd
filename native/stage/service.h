// SPDX-License-Identifier: Apache-2.0
// Theory of operation. Packets without a flow: finds the frontend that they are for, answers echo
// requests to ourselves, and drops what is for a service that does not exist. The rest is plainly
// routed, or, where one of its ends is protected or the node has sent it, tracked or judged by
// itself (docs/packet-path.md, "service").
#pragma once

#include "packet/burst.h"
#include "stage/context.h"
#include "stage/policy.h"

namespace sluice {

template <class F>
void run_service(Burst& burst, Context& context);

struct ServiceVerdict {
  enum class Kind : uint8_t { plain, frontend, track, answer, host, drop, reject } kind;
  DropReason reason{};             // of drop and reject
  const void* frontend = nullptr;  // Frontend<F> that was found, whatever came of it
  PolicyVerdict policy{};          // of what is plain or dropped, where it was asked
};
// `pickup`: the option `tcpPickup`.
template <class F>
ServiceVerdict judge_service(const Packet& packet, const Snapshot& snapshot, bool pickup);

// Where the source of a packet is.
template <class F>
Scope scope_of(const Packet& packet, const Snapshot& snapshot);

}  // namespace sluice
