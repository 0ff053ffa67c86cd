// SPDX-License-Identifier: Apache-2.0
// Theory of operation. What a tunnel adds to packets does not fit a path of 1,500 bytes, and the
// errors that would say so get lost: so the two ends of a TCP connection are told, by the maximum
// segment size in each SYN, to send what fits (docs/packet-path.md, "MSS clamping"). Is called only
// where there is a tunnel.
#pragma once

#include "packet/burst.h"
#include "stage/context.h"

namespace sluice {

template <class F>
void run_mss(Burst& burst, Context& context);

// The option of a SYN, where it is there and larger than `most`, becomes `most`; the checksum with
// it. The header is whole.
void clamp_mss(uint8_t* tcp, uint16_t most);

}  // namespace sluice
