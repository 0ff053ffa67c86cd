// SPDX-License-Identifier: Apache-2.0
#include "testing/fuzz_prediction.h"

#include "packet/ip.h"

namespace sluice {
namespace {

template <class F>
bool has_addresses(const Bytes& frame, const Explanation::Tuple& wanted) {
  const auto& header = *ip_header<F>(frame.data());
  return F::general(header.source) == wanted.source &&
         F::general(header.destination) == wanted.destination;
}

}  // namespace

bool FuzzPrediction::is_possible(const World& world) {
  const FakeOutside& outside = world.outside;
  return outside.live == 0 && outside.room == SIZE_MAX && !outside.out_of_buffers &&
         !outside.hands_over;
}

FuzzPrediction::FuzzPrediction(const World& world, uint16_t interface, const Bytes& frame)
    : before_(world.counters),
      said_(explain(world.context, interface, frame.data(), static_cast<uint32_t>(frame.size()))) {
  CHECK(world.counters == before_);
}

uint64_t FuzzPrediction::grown(const World& world, WorkerCounter which) const {
  return world.counter(which) - before_[static_cast<uint32_t>(which)];
}

uint64_t FuzzPrediction::grown(const World& world, DropReason reason) const {
  return world.drops(reason) - before_[world.layout.drops + static_cast<uint32_t>(reason)];
}

void FuzzPrediction::check(const World& world) const {
  // Whether there is room for a flow it does not ask.
  if (grown(world, DropReason::flow_table_full) != 0) return;
  using enum Explanation::Outcome;
  CHECK(grown(world, WorkerCounter::forwarded) == (said_.fate == forward));
  CHECK(grown(world, WorkerCounter::answered) == (said_.fate == answer));
  CHECK(grown(world, WorkerCounter::host) == (said_.fate == host));
  CHECK(world.counter(WorkerCounter::held) == (said_.fate == hold));
  if (said_.fate == drop) check_drop(world);
  if (said_.fate == forward || said_.fate == host) check_forward(world);
}

void FuzzPrediction::check_drop(const World& world) const {
  REQUIRE(said_.reason.has_value());
  CHECK(grown(world, *said_.reason) == 1);
  CHECK(grown(world, WorkerCounter::originated) + grown(world, WorkerCounter::icmpLimited) ==
        said_.rejected);
}

void FuzzPrediction::check_forward(const World& world) const {
  REQUIRE(said_.route.has_value());
  REQUIRE(said_.neighbour.has_value());
  REQUIRE(said_.neighbour->mac.has_value());
  const auto sent = world.outside.sent.find(said_.route->interface);
  REQUIRE(sent != world.outside.sent.end());
  REQUIRE_FALSE(sent->second.empty());
  const Bytes& frame = sent->second.front();
  CHECK(std::equal(said_.neighbour->mac->begin(), said_.neighbour->mac->end(), frame.begin()));
  const Explanation::Tuple& wanted = said_.rewrite ? *said_.rewrite : *said_.tuple;
  CHECK((wanted.source.is_ipv4() ? has_addresses<Ipv4>(frame, wanted)
                                 : has_addresses<Ipv6>(frame, wanted)));
}

}  // namespace sluice
