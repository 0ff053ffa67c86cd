// SPDX-License-Identifier: Apache-2.0
// Traffic for benchmarks: reads what to do from standard input (benchmarks/rig/traffic.ts), does
// it, and tells what it came to. Exit codes: 1 DPDK, 2 a wrong option, 3 no link, 4 flows not
// opened.
#include <signal.h>
#include <sys/prctl.h>

#include <iostream>
#include <iterator>

#include "generator/eal.h"
#include "generator/runs.h"

namespace sluice::generator {
namespace {

Outcome run(const Rig& rig, Histogram& latency) {
  switch (rig.traffic.run.kind) {
    case Run::Kind::throughput:
      return run_throughput(rig);
    case Run::Kind::latency:
      return run_latency(rig, latency);
    case Run::Kind::setup_udp:
      return run_setup_udp(rig);
    case Run::Kind::setup_tcp:
      return run_setup_tcp(rig);
    case Run::Kind::fragments:
      return run_fragments(rig);
  }
  return {};
}

void generate(const Traffic& traffic) {
  const bool hugepages = start_eal(traffic.cpu, Port::memory_mib(traffic.ring));
  Port client("client", traffic.client, traffic.ring, hugepages);
  Port backend("backend", traffic.backend, traffic.ring, hugepages);
  const bool open = uses_open_flows(traffic.run);
  Checker checker(traffic, open ? traffic.population.flows : 0);
  wait_for_links(client, backend);
  const Rig rig{traffic, client, backend, checker};
  if (open && traffic.proxy) open_flows(rig);
  Histogram latency;
  report_outcome(run(rig, latency), checker);
}

int fail(int exit_code, const char* code, const std::exception& error) {
  report_error(code, error.what());
  return exit_code;
}

}  // namespace
}  // namespace sluice::generator

int main() {
  using namespace sluice::generator;
  // Whoever started us reads the outcome: without them there is no use in going on.
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  try {
    generate(read_options({std::istreambuf_iterator<char>(std::cin), {}}));
    return 0;
  } catch (const OptionError& error) {
    return fail(2, "ERR_OPTION", error);
  } catch (const LinkTimeout& error) {
    return fail(3, "ERR_LINK", error);
  } catch (const OpeningFailed& error) {
    return fail(4, "ERR_OPENING", error);
  } catch (const std::exception& error) {
    return fail(1, "ERR_DPDK", error);
  }
}
