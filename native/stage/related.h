// SPDX-License-Identifier: Apache-2.0
// Theory of operation. An ICMP error quotes the packet that caused it, as its reporter has seen it:
// translated. Turned round, its five-tuple is that of the packets that come from where the error
// comes from, and their entry says how to translate the error back
// (docs/packet-path.md, "ICMP errors").
#pragma once

#include "packet/burst.h"
#include "stage/context.h"

namespace sluice {

// The quoted packet of an ICMP error.
template <class F>
struct Quote {
  bool understood;      // it may have a flow; false: nothing else holds
  PacketClass type;     // one that has a flow
  uint32_t ip_offset;   // from the start of the frame
  uint32_t l4_offset;   // with at least 8 bytes behind it
  FiveTuple<F> turned;  // source and destination exchanged
};
template <class F>
Quote<F> read_quote(const Packet& packet);

// The entry that the error belongs to, or kNoFlow.
template <class F>
uint32_t find_related(const Packet& packet, const Context& context);

// Looks the flow up, and counts the error as related.
template <class F>
void follow_related(Packet& packet, Context& context);

}  // namespace sluice
