// SPDX-License-Identifier: Apache-2.0
#include "config/check_rows.h"

namespace sluice {

Status check_delta(const ProgramDelta& delta, const Master& master) {
  if (auto error = check_services(delta, master)) return error;
  if (auto error = check_routes(delta, master)) return error;
  if (auto error = check_network(delta, master)) return error;
  return check_policy(delta, master);
}

}  // namespace sluice
