// SPDX-License-Identifier: Apache-2.0
// What is made of conversations: flows that are opened before a run, and TCP connections.
#include <algorithm>

#include "generator/dialogue.h"
#include "generator/runs.h"
#include "generator/timeline.h"
#include "packet/headers.h"

namespace sluice::generator {
namespace {

constexpr uint32_t kOpeningWindow = 256;
constexpr uint32_t kOpeningPasses = 5;  // a flow is tried that often

// Those of `flows` that could not be opened.
std::vector<uint32_t> open(Dialogues& dialogues, std::vector<uint32_t> flows) {
  std::vector<uint32_t> again;
  for (size_t next = 0; next < flows.size() || dialogues.under_way() > 0;) {
    const uint64_t now = rte_rdtsc();
    for (uint32_t i = 0; i < kMostBurst && next < flows.size(); ++i) {
      const auto begun = dialogues.begin(flows[next], now);
      if (begun == Dialogues::Begun::full) break;
      if (begun == Dialogues::Begun::busy) again.push_back(flows[next]);
      ++next;
    }
    dialogues.go_on(now);
  }
  const std::vector<uint32_t> failed = dialogues.take_failed();
  again.insert(again.end(), failed.begin(), failed.end());
  return again;
}

std::string describe(const Wrong& wrong) {
  return std::to_string(wrong.checksum) + " checksums, " + std::to_string(wrong.backend) +
         " backends or services, " + std::to_string(wrong.moved) + " at two backends, " +
         std::to_string(wrong.other) + " other";
}

}  // namespace

uint32_t warm_up_flows(const Run& run) { return run.limit / 4; }

bool uses_open_flows(const Run& run) {
  return run.kind != Run::Kind::setup_udp && run.kind != Run::Kind::setup_tcp;
}

void open_flows(const Rig& rig) {
  const Traffic& traffic = rig.traffic;
  const bool udp = traffic.population.protocol == kProtocolUdp;
  const uint32_t window = std::min<uint32_t>(kOpeningWindow, traffic.ring / 4);
  Dialogues dialogues(rig, udp ? query_and_reply(traffic) : tcp_handshake(traffic), window);
  std::vector<uint32_t> flows(traffic.population.flows);
  for (uint32_t flow = 0; flow < flows.size(); ++flow) flows[flow] = flow;
  const uint64_t begun = rte_rdtsc();
  for (uint32_t pass = 0; pass < kOpeningPasses && !flows.empty(); ++pass) {
    flows = open(dialogues, std::move(flows));
  }
  if (!flows.empty()) {
    throw OpeningFailed(std::to_string(flows.size()) + " of " +
                        std::to_string(traffic.population.flows) +
                        " flows could not be opened, flow " + std::to_string(flows.front()) +
                        " among them; seen wrong: " + describe(rig.checker.wrong()));
  }
  report_opened(traffic.population.flows,
                static_cast<double>(rte_rdtsc() - begun) / static_cast<double>(rte_get_tsc_hz()));
}

Outcome run_setup_tcp(const Rig& rig) {
  const Run& run = rig.traffic.run;
  Dialogues dialogues(rig, tcp_connection(rig.traffic), run.window);
  Timeline timeline(rig.traffic);
  uint32_t begun = 0;
  uint64_t now = rte_rdtsc();
  for (; timeline.goes_on(now, dialogues.totals()); now = rte_rdtsc()) {
    if (begun > warm_up_flows(run)) timeline.warmed_up(now, dialogues.totals());
    if (begun == run.limit) {
      timeline.end(now, dialogues.totals());
      break;
    }
    for (uint32_t i = 0; i < rig.traffic.burst && begun < run.limit; ++i) {
      // A flow whose place is taken is left out.
      if (dialogues.begin(run.first + begun, now) == Dialogues::Begun::full) break;
      ++begun;
    }
    dialogues.go_on(now);
  }
  while (dialogues.under_way() > 0) dialogues.go_on(rte_rdtsc());
  Outcome outcome = timeline.outcome();
  const Totals totals = dialogues.totals();
  outcome.lost = totals.sent > totals.received ? totals.sent - totals.received : 0;
  outcome.flows = begun;
  outcome.totals.failed = totals.failed;
  return outcome;
}

}  // namespace sluice::generator
