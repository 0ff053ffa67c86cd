// SPDX-License-Identifier: Apache-2.0
// Theory of operation. Makes the flow of a new connection to a service: backend by Maglev, both
// directions inserted before the first packet leaves (docs/packet-path.md, "nat").
#pragma once

#include "packet/burst.h"
#include "stage/context.h"

namespace sluice {

void run_nat(Burst& burst, Context& context);

}  // namespace sluice
