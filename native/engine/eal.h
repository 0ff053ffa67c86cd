// SPDX-License-Identifier: Apache-2.0
// The EAL: one per process, started once and never stopped (DPDK allows no second start). It pins
// the thread that starts it to the main lcore's CPUs, so that must be the control thread and never
// one of Node's; the main lcore floats over all CPUs, the worker lcores 1..n are pinned to one CPU
// each.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"

namespace sluice {

enum class Hugepages : uint8_t { automatic, on, off };

struct EalFacts {
  bool hugepages = false;
  uint32_t worker_lcores = 0;  // lcores 1..worker_lcores
};

// Control thread only. The first call starts the EAL; later ones return what the first one found,
// or ERR_ENGINE if they ask for hugepages that the first one did not take (or the reverse).
Result<EalFacts> start_eal(Hugepages hugepages, uint32_t memory_mib);

// "DPDK 22.11.11". Does not start anything. Any thread.
const char* dpdk_version();

// Free 2 MB and 1 GB hugepages, in MiB.
uint64_t free_hugepage_mib();

}  // namespace sluice
