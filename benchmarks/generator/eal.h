// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace sluice::generator {

// Pins the process to the CPU, and starts DPDK there, with room for so much. Once. Returns whether
// there are hugepages.
bool start_eal(int cpu, uint32_t memory_mib);

}  // namespace sluice::generator
