// SPDX-License-Identifier: Apache-2.0
// Theory of operation. Decides on a new flow, and changes nothing: backend, source and port, or why
// there is none; of one without a frontend, which is tracked for policy's sake, only the port
// (docs/packet-path.md, "nat", points 2 to 7).
#pragma once

#include <optional>

#include "packet/burst.h"
#include "stage/context.h"
#include "stage/policy.h"

namespace sluice {

// What becomes of a packet that has no flow, and is to have one. Filled in as far as the plan came.
template <class F>
struct NatPlan {
  std::optional<DropReason> refused;
  bool rejected = false;         // where refused: the sender is told
  std::optional<uint32_t> pool;  // slot
  std::optional<uint32_t> maglev_slot;
  bool affinity = false;            // it has chosen the backend
  std::optional<uint32_t> backend;  // slot
  PolicyVerdict policy;             // where it was asked
  bool masquerade = false;
  bool one_way = false;        // it goes to the backend as it came
  FiveTuple<F> leaves{};       // the packet's five-tuple when it leaves
  uint32_t expired = kNoFlow;  // an entry that is in the reply's way, and has expired
};
// Points 2 and 3: no flow begins with such a packet.
bool cannot_begin(const Packet& packet, bool pickup);

// `doomed`: an entry whose pair would be removed before; what it has taken is free.
template <class F>
NatPlan<F> plan_nat(const Packet& packet, const Context& context, uint32_t doomed = kNoFlow);

// Of a packet that has one.
template <class F>
const Frontend<F>& frontend_of(const Packet& packet) {
  return *static_cast<const Frontend<F>*>(packet.frontend);
}

}  // namespace sluice
