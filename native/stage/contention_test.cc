// SPDX-License-Identifier: Apache-2.0
// What a packet writes of the memory that workers share: why more of them do not slow each other
// down.
#include <doctest/doctest.h>

#include "testing/bench_contention.h"

namespace sluice {
namespace {

constexpr uint32_t kFlows = 512, kPackets = 128;

template <class F>
struct Rig {
  explicit Rig(uint8_t protocol, BenchHops hops = BenchHops::given)
      : world({.flows = kFlows,
               .services = 16,
               .protocol = protocol,
               .version = F::kVersion,
               .hops = hops}),
        worker(world),
        traffic(world, {0, kFlows}),
        contention(world, worker) {
    traffic.open(worker);
  }

  SharedWrites hits(uint16_t interface) {
    return contention.count(traffic, kPackets,
                            [&](uint32_t) { traffic.fill(worker, interface, 1); });
  }

  BenchWorld world;
  BenchWorker worker;
  BenchTraffic<F> traffic;
  Contention<F> contention;
};

TEST_CASE_TEMPLATE("a flow hit writes one shared line: its own entry", F, Ipv4, Ipv6) {
  for (const uint8_t protocol : {kProtocolUdp, kProtocolTcp}) {
    for (const BenchHops hops : {BenchHops::given, BenchHops::resolved}) {
      const auto rig = std::make_unique<Rig<F>>(protocol, hops);
      for (const uint16_t interface : {0, 1}) {
        const SharedWrites writes = rig->hits(interface);
        CHECK(writes.packets == kPackets);
        CHECK(writes.most <= 1);
        for (size_t kind = 1; kind < writes.lines.size(); kind++) {
          INFO(std::string(kSharedKindNames[kind]));
          CHECK(writes.lines[kind] == 0);
        }
      }
      CHECK(rig->worker.has_forwarded_all());
    }
  }
}

TEST_CASE_TEMPLATE("the count sees what a new flow writes", F, Ipv4, Ipv6) {
  const auto rig = std::make_unique<Rig<F>>(kProtocolUdp);
  BenchTraffic<F> later(rig->world, {kFlows, kFlows + kPackets});
  const SharedWrites writes = rig->contention.count(later, kPackets, [&](uint32_t i) {
    later.fill(rig->worker, {0, 0}, i, 1);
  });
  CHECK(writes.of(SharedKind::own_entry) >= kPackets);
  CHECK(writes.of(SharedKind::other_entry) >= kPackets);
  CHECK(writes.of(SharedKind::bucket) >= 2 * kPackets - 8);  // both directions may share one
  CHECK(writes.of(SharedKind::program) == 0);
  CHECK(rig->worker.has_forwarded_all());
}

}  // namespace
}  // namespace sluice
