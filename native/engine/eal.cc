// SPDX-License-Identifier: Apache-2.0
#include "engine/eal.h"

#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_lcore.h>
#include <rte_version.h>
#include <sched.h>

#include <cstdlib>
#include <fstream>
#include <optional>

namespace sluice {
namespace {

std::vector<int> allowed_cpus() {
  cpu_set_t set;
  CPU_ZERO(&set);
  std::vector<int> cpus;
  if (sched_getaffinity(0, sizeof(set), &set) == 0) {
    for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
      if (CPU_ISSET(cpu, &set)) cpus.push_back(cpu);
    }
  }
  if (cpus.empty()) cpus.push_back(0);
  return cpus;
}

// "0@(0,1),1@1,2@0": workers take the CPUs from the last one down, because interrupts and
// Node's main thread tend to sit on the first.
std::string lcore_map(const std::vector<int>& cpus, uint32_t workers) {
  std::string map = "0@(";
  for (size_t i = 0; i < cpus.size(); ++i) map += (i ? "," : "") + std::to_string(cpus[i]);
  map += ")";
  for (uint32_t worker = 0; worker < workers; ++worker) {
    map += "," + std::to_string(worker + 1) + "@" +
           std::to_string(cpus[cpus.size() - 1 - worker % cpus.size()]);
  }
  return map;
}

uint64_t read_number(const char* path) {
  std::ifstream file(path);
  uint64_t value = 0;
  file >> value;
  return file ? value : 0;
}

}  // namespace

const char* dpdk_version() { return rte_version(); }

uint64_t free_hugepage_mib() {
  return 2 * read_number("/sys/kernel/mm/hugepages/hugepages-2048kB/free_hugepages") +
         1024 * read_number("/sys/kernel/mm/hugepages/hugepages-1048576kB/free_hugepages");
}

Result<EalFacts> start_eal(Hugepages hugepages, uint32_t memory_mib) {
  static std::optional<EalFacts> facts;
  static std::optional<Error> failure;
  if (failure) return *failure;  // DPDK says no more than that it has been called already
  if (facts) {
    if (hugepages != Hugepages::automatic && (hugepages == Hugepages::on) != facts->hugepages) {
      return Error{"ERR_ENGINE",
                   std::string("DPDK runs in this process already, ") +
                       (facts->hugepages ? "with" : "without") + " hugepages",
                   "hugepages"};
    }
    return *facts;
  }

  const uint64_t free_mib = free_hugepage_mib();
  const bool huge =
      hugepages == Hugepages::on || (hugepages == Hugepages::automatic && free_mib >= memory_mib);
  if (huge && free_mib < memory_mib) {
    return Error{"ERR_HUGEPAGES",
                 std::to_string(memory_mib) + " MiB of hugepages are needed, " +
                     std::to_string(free_mib) + " MiB are free",
                 "hugepages"};
  }

  const std::vector<int> cpus = allowed_cpus();
  const uint32_t workers =
      std::min<uint32_t>(static_cast<uint32_t>(cpus.size()), RTE_MAX_LCORE - 1);
  const char* log_level = std::getenv("SLUICE_DPDK_LOG");
  std::vector<std::string> arguments = {
      "sluice",   "--no-telemetry",         "--no-pci",    "--iova-mode=va",
      "--lcores", lcore_map(cpus, workers), "--log-level", log_level ? log_level : "critical"};
  if (huge) {
    // One file per segment list: virtio-user passes each file to its peer, which takes at most 8.
    arguments.insert(arguments.end(), {"--in-memory", "--single-file-segments"});
  } else {
    // --in-memory does not go with --no-huge; without shared configuration there are no files
    // either.
    arguments.insert(arguments.end(),
                     {"--no-shconf", "--no-huge", "-m", std::to_string(memory_mib)});
  }
  std::vector<char*> argv;
  for (std::string& argument : arguments) argv.push_back(argument.data());
  if (rte_eal_init(static_cast<int>(argv.size()), argv.data()) < 0) {
    failure = Error{"ERR_ENGINE",
                    std::string("DPDK does not start: ") + rte_strerror(rte_errno) +
                        "; it can be tried once in a process",
                    ""};
    return *failure;
  }
  facts = EalFacts{huge, workers};
  return *facts;
}

}  // namespace sluice
