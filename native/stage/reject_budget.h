// SPDX-License-Identifier: Apache-2.0
// Theory of operation. How many senders may still be told what became of their packets: a token
// bucket, refilled with time (docs/packet-path.md, "Rejected" and "Told").
#pragma once

#include <cstdint>

#include "stage/context.h"

namespace sluice {

// False: the budget is used up. `rate`: tokens a second, and as many at once at most.
bool take_token(RejectBudget& budget, uint64_t rate, uint64_t now_ms);

}  // namespace sluice
