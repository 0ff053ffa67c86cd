// SPDX-License-Identifier: Apache-2.0
// Theory of operation. The source that a new flow's packets leave with: which address of ours where
// it is masqueraded, and which port, so that the reply's five-tuple belongs to this flow alone
// (docs/packet-path.md, "nat", points 6 and 7).
#pragma once

#include <optional>

#include "packet/burst.h"
#include "stage/context.h"

namespace sluice {

// The address to masquerade with towards a backend, by the way that the packet will take; or why
// there is none.
template <class F>
struct SourceChoice {
  std::optional<DropReason> refused;
  typename F::Address address;
};
template <class F>
SourceChoice<F> choose_source(const Packet& packet, const typename F::Address& backend,
                              const Snapshot& snapshot);

// The source port towards the backend. `leaves` has everything else; its port is the one to begin
// with. It is kept if it is free, and `any_port` or within the range that is ours to give.
// `doomed`: as in plan_nat.
struct PortChoice {
  bool found;
  be16 port;
  uint32_t expired;  // entry that has to be removed first, or kNoFlow
};
template <class F>
PortChoice choose_port(const Packet& packet, FiveTuple<F> leaves, bool any_port, uint32_t doomed,
                       const Context& context);

// The same where no other port will do.
template <class F>
PortChoice keep_port(const Packet& packet, const FiveTuple<F>& leaves, uint32_t doomed,
                     const Context& context);

}  // namespace sluice
