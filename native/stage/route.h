// SPDX-License-Identifier: Apache-2.0
// Theory of operation. TTL, longest-prefix match, link and MTU of everything that is forwarded
// (docs/packet-path.md, "route").
#pragma once

#include "packet/burst.h"
#include "stage/context.h"

namespace sluice {

void run_route(Burst& burst, Context& context);

}  // namespace sluice
