// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace sluice {

// For tests whose subject needs DPDK's memory: no hugepages, no devices, no root. Once per process.
void start_eal();

}  // namespace sluice
