// SPDX-License-Identifier: Apache-2.0
#include "generator/eal.h"

#include <rte_eal.h>
#include <rte_errno.h>
#include <sched.h>

#include <cstdlib>
#include <fstream>
#include <string>
#include <vector>

#include "generator/port.h"

namespace sluice::generator {
namespace {

// What DPDK itself and its devices take.
constexpr uint32_t kOwnMemoryMib = 32;

uint64_t free_hugepages_mib() {
  std::ifstream file("/sys/kernel/mm/hugepages/hugepages-2048kB/free_hugepages");
  uint64_t pages = 0;
  file >> pages;
  return file ? 2 * pages : 0;
}

}  // namespace

bool start_eal(int cpu, uint32_t memory_mib) {
  // Before DPDK makes its threads: they must not run where the device under test does.
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(cpu, &set);
  if (sched_setaffinity(0, sizeof(set), &set) != 0) {
    throw OptionError("cpu: this process may not run on CPU " + std::to_string(cpu));
  }
  const uint32_t needed_mib = kOwnMemoryMib + memory_mib;
  const bool huge = free_hugepages_mib() >= needed_mib;
  const char* log_level = std::getenv("SLUICE_DPDK_LOG");
  std::vector<std::string> arguments = {"traffic_generator", "--no-telemetry",
                                        "--no-pci",          "--iova-mode=va",
                                        "--lcores",          "0@" + std::to_string(cpu),
                                        "--log-level",       log_level ? log_level : "critical"};
  if (huge) {
    // One file per segment list: both memif and virtio-user hand each file to their peer.
    arguments.insert(arguments.end(), {"--in-memory", "--single-file-segments"});
  } else {
    arguments.insert(arguments.end(),
                     {"--no-shconf", "--no-huge", "-m", std::to_string(needed_mib)});
  }
  std::vector<char*> argv;
  for (std::string& argument : arguments) argv.push_back(argument.data());
  if (rte_eal_init(static_cast<int>(argv.size()), argv.data()) < 0) {
    throw DeviceError(std::string("DPDK does not start: ") + rte_strerror(rte_errno));
  }
  return huge;
}

}  // namespace sluice::generator
