// SPDX-License-Identifier: Apache-2.0
// Theory of operation. Judges packets without a flow: for a service (its pool is noted for nat),
// for ourselves (ICMP echo is answered), or to be routed as they are (docs/packet-path.md,
// "service").
#pragma once

#include "packet/burst.h"
#include "stage/context.h"

namespace sluice {

void run_service(Burst& burst, Context& context);

}  // namespace sluice
