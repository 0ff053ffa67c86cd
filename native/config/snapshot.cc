// SPDX-License-Identifier: Apache-2.0
#include "config/snapshot.h"

#include <algorithm>

namespace sluice {

bool Snapshot::is_own_address(be32 address) const {
  return std::binary_search(own_addresses.begin(), own_addresses.end(), address,
                            [](be32 a, be32 b) { return a.raw < b.raw; });
}

}  // namespace sluice
