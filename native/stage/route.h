// SPDX-License-Identifier: Apache-2.0
// Theory of operation. Decides where a packet goes while it is still as it came in, so that an
// error that says it cannot go there quotes what its sender has sent: time to live, longest-prefix
// match (or the group of a one-way flow's backend, or this node's kernel), next hop of the group,
// and whether the packet fits the egress interface (docs/packet-path.md, "route").
#pragma once

#include <optional>

#include "packet/burst.h"
#include "stage/context.h"

namespace sluice {

template <class F>
void run_route(Burst& burst, Context& context);

// Where a packet is bound for.
template <class F>
struct Heading {
  typename F::Address destination;  // that it will leave with
  std::optional<uint32_t> through;  // group that it goes by, wherever it is for; or kNoGroup
};

// Of a packet of this entry's flow.
template <class F>
Heading<F> heading_of(const FlowEntry<F>& entry, bool forward, const Snapshot& snapshot);

// One packet. Fills in next_hop where there is a route, whatever else it meets; else kNoNextHop.
template <class F>
std::optional<DropReason> find_way(Packet& packet, const Heading<F>& heading,
                                   const Snapshot& snapshot);

// Whether the checksum of a packet that gets these ports is out of reach: SCTP's covers what the
// other fragments carry.
template <class F>
bool is_untranslatable(const Packet& packet, be16 source_port, be16 destination_port);

}  // namespace sluice
