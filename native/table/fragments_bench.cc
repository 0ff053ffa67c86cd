// SPDX-License-Identifier: Apache-2.0
// Datagrams in two fragments, in order and the other way round, among others that are never whole.
// Clocks are of one datagram.
#include "packet/headers.h"
#include "table/fragments.h"
#include "testing/bench_clocks.h"
#include "testing/bench_names.h"

namespace sluice {
namespace {

constexpr uint32_t kFragmentBytes = 1'400;

template <class F>
Packet fragment(uint32_t datagram, bool first) {
  Packet packet{};
  packet.version = F::kVersion;
  packet.fragment = first ? FragmentKind::first : FragmentKind::later;
  packet.range = {datagram, first ? 0 : kFragmentBytes, kFragmentBytes, first, kProtocolUdp, true};
  packet.type = first ? PacketClass::udp : PacketClass::other;
  packet.tuple<F>() = bench_query<F>(0, 1, kProtocolUdp);
  if (!first) packet.tuple<F>().source_port = packet.tuple<F>().destination_port = {};
  return packet;
}

template <class F>
void follow(benchmark::State& state, bool in_order, uint32_t others) {
  std::vector<Packet> released;
  uint64_t dropped = 0;
  FragmentTable table(Limits{}, {&released, [&](const Packet&, DropReason) { dropped++; }});
  for (uint32_t i = 0; i < others; i++) {
    Packet packet = fragment<F>(UINT32_MAX - i, true);
    table.take(packet, 0);
  }
  Packet firsts[kBenchBatch], seconds[kBenchBatch];
  uint32_t datagram = 0;
  auto prepare = [&] {
    released.clear();
    for (uint32_t i = 0; i < kBenchBatch; i++, datagram++) {
      firsts[i] = fragment<F>(datagram, in_order);
      seconds[i] = fragment<F>(datagram, !in_order);
    }
  };
  time_each(state, prepare, [&](uint32_t i) {
    table.take(firsts[i], 0);
    table.take(seconds[i], 0);
  });
  const size_t waited = in_order ? 0 : kBenchBatch;
  if (dropped != 0 || released.size() != waited || table.datagrams() != others) {
    state.SkipWithError("a datagram was not followed to its end");
  }
}

template <class F>
bool add_of_family() {
  const std::string family = F::kVersion == 4 ? "/ipv4" : "/ipv6";
  for (const uint32_t others : {0, 512}) {
    const std::string rest = family + "/others:" + std::to_string(others);
    add_timed("fragments/in_order" + rest,
              [=](benchmark::State& state) { follow<F>(state, true, others); });
    add_timed("fragments/last_first" + rest,
              [=](benchmark::State& state) { follow<F>(state, false, others); });
  }
  return true;
}

const bool added = add_of_family<Ipv4>() && add_of_family<Ipv6>();

}  // namespace
}  // namespace sluice
