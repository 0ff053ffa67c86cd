// SPDX-License-Identifier: Apache-2.0
// Theory of operation. Turns an echo request to ourselves (RFC 792, RFC 4443) into its reply, in
// place (docs/packet-path.md, "service").
#pragma once

#include "config/snapshot.h"
#include "packet/burst.h"

namespace sluice {

// `ingress`: the interface that it came in by, and goes out of.
template <class F>
void answer_echo(Packet& packet, const InterfaceView& ingress);

}  // namespace sluice
