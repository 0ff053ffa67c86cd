// SPDX-License-Identifier: Apache-2.0
// How the packet path goes with workers: `workers_bench [--workers=N] [--rounds=N] [--seconds=S]
// [--quick]` writes JSON. Each worker is a thread on a CPU of its own, over shared tables, and
// makes its own packets: a burst is written from templates and carried through `run_burst`, with
// nothing else between. One worker and all of them in turn, round by round.
//   scaling.hit    packets of flows that are there, queries and replies; `split`: the flows of a
//                  worker are its own, as RSS has it; `all`: every worker has packets of all flows
//   scaling.setup  UDP packets, each the first of a new flow, until a million flows are there
//   contention     cache lines of what workers share that a packet writes, by what is in them
#include <cstdio>
#include <cstdlib>
#include <string>

#include "testing/bench_contention.h"
#include "testing/bench_team.h"
#include "testing/bench_tsc.h"

namespace sluice {
namespace {

struct Settings {
  uint32_t workers = 2, rounds = 5;
  double seconds = 1;
  bool quick = false;
};

[[noreturn]] void fail(const std::string& why) {
  std::fprintf(stderr, "workers_bench: %s\n", why.c_str());
  std::exit(1);
}

Settings read_settings(int argc, char** argv) {
  Settings settings;
  for (int i = 1; i < argc; i++) {
    const std::string argument = argv[i];
    const std::string value = argument.substr(argument.find('=') + 1);
    const double number = std::atof(value.c_str());
    if (argument == "--quick") {
      settings = {.workers = settings.workers, .rounds = 3, .seconds = 0.2, .quick = true};
    } else if (argument.starts_with("--workers=") && number >= 2) {
      settings.workers = static_cast<uint32_t>(number);
    } else if (argument.starts_with("--rounds=") && number >= 1) {
      settings.rounds = static_cast<uint32_t>(number);
    } else if (argument.starts_with("--seconds=") && number > 0) {
      settings.seconds = number;
    } else {
      fail("what is " + argument + "?");
    }
  }
  if (usable_cpus().size() < settings.workers) fail("there are fewer CPUs than workers");
  return settings;
}

// Puts values of one level of a JSON object behind each other.
class Listing {
 public:
  void begin(const std::string& head) {
    std::printf("%s%s", first_ ? "" : ",\n", head.c_str());
    first_ = false;
  }

 private:
  bool first_ = true;
};

std::string spread(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  char text[160];
  std::snprintf(text, sizeof(text), "{\"min\": %.6g, \"median\": %.6g, \"max\": %.6g}",
                values.front(), values[values.size() / 2], values.back());
  return text;
}

// `rate(count)` with one worker and with all in turn.
template <class Rate>
void report_scaling(Listing& listing, const std::string& name, const Settings& settings,
                    Rate&& rate) {
  std::vector<double> one, all, ratio, busy;
  for (uint32_t round = 0; round < settings.rounds; round++) {
    const BenchTeam::Rate of_one = rate(1), of_all = rate(settings.workers);
    one.push_back(of_one.packets);
    all.push_back(of_all.packets);
    ratio.push_back(of_all.packets / of_one.packets);
    busy.push_back(std::min(of_one.busy, of_all.busy));
  }
  listing.begin("    {\"name\": \"" + name +
                "\", \"workers\": " + std::to_string(settings.workers) +
                ", \"one\": " + spread(one) + ", \"all\": " + spread(all) +
                ", \"ratio\": " + spread(ratio) + ", \"busy\": " + spread(busy) + "}");
  std::fflush(stdout);
}

void report_hits(Listing& listing, const Settings& settings, uint32_t flows) {
  BenchWorld world({.workers = settings.workers, .flows = flows});
  BenchTeam team(world);
  // What a worker sees of the flows when it is alone, and when they are split.
  BenchTraffic<Ipv4> alone(world, {0, flows});
  std::vector<BenchTraffic<Ipv4>> split, all;
  alone.open(team.worker(0));
  for (uint32_t i = 0; i < settings.workers; i++) {
    split.emplace_back(world, BenchShare{i, flows, settings.workers}).open(team.worker(i));
    all.emplace_back(world, BenchShare{0, flows}).open(team.worker(i));
  }
  auto run = [&](uint32_t count, std::vector<BenchTraffic<Ipv4>>& traffic) {
    return team.rate(count, [&](uint32_t i) {
      BenchTraffic<Ipv4>& mine = count == 1 ? alone : traffic[i];
      const uint64_t end = __rdtsc() + static_cast<uint64_t>(settings.seconds * tsc_rate());
      uint64_t packets = 0;
      for (; __rdtsc() < end; packets += 2 * kMaxBurst) {
        for (const uint16_t interface : {0, 1}) {
          mine.fill(team.worker(i), interface);
          team.worker(i).run();
        }
      }
      return packets;
    });
  };
  const std::string name = "hit/ipv4/udp/flows:" + std::to_string(flows);
  report_scaling(listing, name + "/split", settings,
                 [&](uint32_t count) { return run(count, split); });
  report_scaling(listing, name + "/all", settings, [&](uint32_t count) { return run(count, all); });
  if (!team.has_forwarded_all()) fail("not all packets were forwarded");
  if (world.flows4.used() != flows) fail("not all packets were of flows that were there");
}

void remove_all(BenchTeam& team) {
  for (uint32_t i = 0; i < team.size(); i++) {
    Context& context = team.worker(i).context;
    for (uint32_t pair = i; pair < context.flows4->capacity(); pair += team.size()) {
      if (context.flows4->alive(2 * pair)) {
        context.flows4->remove(context.flow_cache4, 2 * pair);
      }
    }
    team.worker(i).next_poll();
    run_housekeeping(context);  // gives surplus entries back to all
  }
}

void report_setup(Listing& listing, const Settings& settings, uint32_t flows) {
  BenchWorld world({.workers = settings.workers, .flows = flows});
  BenchTeam team(world);
  auto run = [&](uint32_t count) {
    const BenchTeam::Rate rate = team.rate(count, [&](uint32_t i) {
      BenchTraffic<Ipv4> traffic(world, {i, flows, count});
      const uint32_t share = BenchShare{i, flows, count}.size();
      for (uint32_t first = 0; first < share; first += kMaxBurst) {
        traffic.fill(team.worker(i), {0, 0}, first);
        team.worker(i).run();
      }
      return share;
    });
    if (world.flows4.used() != flows) fail("not every packet made a flow");
    remove_all(team);
    return rate;
  };
  run(1);  // touches all memory
  report_scaling(listing, "setup/ipv4/udp/flows:" + std::to_string(flows), settings, run);
  if (!team.has_forwarded_all()) fail("not all packets were forwarded");
}

void report_writes(Listing& listing, const std::string& name, const SharedWrites& writes) {
  listing.begin("    {\"name\": \"" + name + "\", \"packets\": " + std::to_string(writes.packets) +
                ", \"most\": " + std::to_string(writes.most) + ", \"linesPerPacket\": {");
  double all = 0;
  for (size_t kind = 0; kind < writes.lines.size(); kind++) {
    const double lines = static_cast<double>(writes.lines[kind]) / writes.packets;
    all += lines;
    std::printf("%s\"%s\": %.4g", kind == 0 ? "" : ", ", kSharedKindNames[kind], lines);
  }
  std::printf("}, \"all\": %.4g}", all);
}

template <class F>
void report_contention(Listing& listing, uint8_t protocol, BenchHops hops) {
  constexpr uint32_t kFlows = 10'000, kPackets = 256;
  const auto world = std::make_unique<BenchWorld>(BenchOptions{.workers = 2,
                                                               .flows = 2 * kFlows,
                                                               .protocol = protocol,
                                                               .version = F::kVersion,
                                                               .hops = hops});
  const auto worker = std::make_unique<BenchWorker>(*world);
  BenchTraffic<F> traffic(*world, {0, kFlows}), later(*world, {kFlows, 2 * kFlows});
  traffic.open(*worker);
  Contention<F> contention(*world, *worker);
  const std::string rest = std::string("/ipv") + (F::kVersion == 4 ? "4" : "6") +
                           (protocol == kProtocolUdp ? "/udp" : "/tcp") +
                           (hops == BenchHops::given ? "" : "/neighbours");
  for (const uint16_t interface : {0, 1}) {
    report_writes(listing, std::string(interface == 0 ? "query" : "reply") + rest,
                  contention.count(traffic, kPackets,
                                   [&](uint32_t) { traffic.fill(*worker, interface, 1); }));
  }
  report_writes(listing, "setup" + rest, contention.count(later, kPackets, [&](uint32_t i) {
    later.fill(*worker, {0, kTcpSyn}, i, 1);
  }));
  if (!worker->has_forwarded_all()) fail("not all packets were forwarded");
}

void run(const Settings& settings) {
  Listing scaling, contention;
  std::printf("{\"contention\": [\n");
  for (const uint8_t protocol : {kProtocolUdp, kProtocolTcp}) {
    report_contention<Ipv4>(contention, protocol, BenchHops::given);
    report_contention<Ipv6>(contention, protocol, BenchHops::given);
  }
  report_contention<Ipv4>(contention, kProtocolUdp, BenchHops::resolved);
  std::printf("\n  ],\n  \"scaling\": [\n");
  report_hits(scaling, settings, 1'000);
  report_hits(scaling, settings, 100'000);
  if (!settings.quick) report_hits(scaling, settings, 1'000'000);
  report_setup(scaling, settings, settings.quick ? 250'000 : 1'000'000);
  std::printf("\n  ]\n}\n");
}

}  // namespace
}  // namespace sluice

int main(int argc, char** argv) { sluice::run(sluice::read_settings(argc, argv)); }
