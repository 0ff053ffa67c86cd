// SPDX-License-Identifier: Apache-2.0
// Theory of operation. Translates an ICMP error of a flow: the packet that it quotes back to what
// its sender knows, and the error's own addresses as those of the flow's packets that go the same
// way (docs/packet-path.md, "rewrite").
#pragma once

#include "packet/burst.h"
#include "table/flow_table.h"

namespace sluice {

// `entry`: what find_related has found.
template <class F>
void translate_error(Packet& packet, const FlowEntry<F>& entry);

}  // namespace sluice
