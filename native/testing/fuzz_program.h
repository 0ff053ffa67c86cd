// SPDX-License-Identifier: Apache-2.0
// Programs from a fuzzer's input.
#pragma once

#include "testing/delta.h"
#include "testing/fuzz_input.h"

namespace sluice {

// Services of every protocol in both families, routes, addresses: where each input begins.
Delta fuzz_first_program();
// Rows that are well-formed each by itself; the names in them may be wrong, and so may the whole.
Delta fuzz_delta(FuzzInput& input);
// Does something arbitrary to a column.
void damage_delta(ProgramDelta& delta, FuzzInput& input);

}  // namespace sluice
