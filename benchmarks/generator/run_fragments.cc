// SPDX-License-Identifier: Apache-2.0
#include "generator/draw.h"
#include "generator/flight.h"
#include "generator/fragments.h"
#include "generator/runs.h"
#include "generator/timeline.h"

namespace sluice::generator {

Outcome run_fragments(const Rig& rig) {
  const auto& [traffic, client, backend, checker] = rig;
  const Population& population = traffic.population;
  FragmentMaker maker(traffic);
  FragmentCounter counter(rig);
  Flight flight(client, backend);
  Draw draw = Draw::spread(population.flows, population.zipf, 1);
  const uint16_t pieces = maker.cut().count();

  const auto send = [&](uint64_t now) {
    if (client.waiting() == 0 && flight.admits(pieces, traffic.run.window, now)) {
      if (rte_mbuf** mbufs = client.reserve(pieces)) maker.make(mbufs, draw.next());
    }
    client.flush(traffic.burst);
  };
  const auto receive = [&] {
    rte_mbuf* mbufs[kMostBurst];
    const uint16_t count = backend.receive(mbufs, traffic.burst);
    for (uint16_t i = 0; i < count; ++i) counter.count(*mbufs[i]);
    if (count > 0) backend.release(mbufs, count);
  };

  Timeline timeline(traffic);
  for (uint64_t now = rte_rdtsc(); timeline.goes_on(now, Totals{flight.sent(), flight.received()});
       now = rte_rdtsc()) {
    send(now);
    receive();
  }
  while (client.waiting() > 0 && client.flush(traffic.burst) > 0) receive();
  Outcome outcome = timeline.outcome();
  outcome.lost = flight.drain(receive);
  outcome.datagrams = counter.whole();
  return outcome;
}

}  // namespace sluice::generator
