// SPDX-License-Identifier: Apache-2.0
// Theory of operation. Translates packets of a flow: destination towards the backend, source
// towards the client. Checksums follow incrementally, by the deltas that the flow entry carries
// (RFC 1624).
#pragma once

#include "packet/burst.h"
#include "stage/context.h"

namespace sluice {

void run_rewrite(Burst& burst, Context& context);

}  // namespace sluice
