// SPDX-License-Identifier: Apache-2.0
#include "stage/reject_budget.h"

#include <algorithm>

namespace sluice {

bool take_token(RejectBudget& budget, uint64_t rate, uint64_t now_ms) {
  constexpr uint64_t kToken = 1000;  // in thousandths
  const uint64_t most = rate * kToken;
  if (!budget.started) {
    budget = {most, now_ms, true};
  } else if (now_ms > budget.filled_ms) {
    const uint64_t elapsed_ms = std::min<uint64_t>(now_ms - budget.filled_ms, 1000);
    budget.tokens = std::min(most, budget.tokens + rate * elapsed_ms);
    budget.filled_ms = now_ms;
  }
  if (budget.tokens < kToken) return false;
  budget.tokens -= kToken;
  return true;
}

}  // namespace sluice
