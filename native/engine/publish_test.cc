// SPDX-License-Identifier: Apache-2.0
// Commits while workers read: each poll finds one program, whole, whether it is busy or has slept.
#include "engine/publish.h"

#include <doctest/doctest.h>
#include <rte_rcu_qsbr.h>

#include <atomic>
#include <chrono>
#include <thread>
#include <vector>

#include "testing/program.h"

namespace sluice {
namespace {

constexpr uint32_t kBackends = 40;

// Backend, pool and frontend of a slot all say the turn; a slot above 1 is there in every other.
Delta delta_of(uint16_t turn) {
  Delta delta;
  for (uint32_t slot = 0; slot < kBackends; slot++) {
    if (slot > 1 && (slot + turn) % 2 == 0) {
      delta.remove_frontend(slot).remove_pool(slot).remove_backend(slot);
      continue;
    }
    delta.backend(slot, ip(10, 244, 0, static_cast<uint8_t>(slot)), turn, 7)
        .pool(slot, {{slot, turn}})
        .frontend(slot, ip(10, 96, 0, static_cast<uint8_t>(slot)), turn, kProtocolTcp, slot);
  }
  return delta;
}

bool is_whole(const Snapshot& snapshot) {
  const uint16_t turn = snapshot.backends[0].port.host();
  for (uint32_t slot = 0; slot < kBackends; slot++) {
    const be32 address = be32::from_host(ip(10, 96, 0, static_cast<uint8_t>(slot)));
    const bool wanted = slot <= 1 || (slot + turn) % 2 != 0;
    const bool there = slot < snapshot.backends.size() && snapshot.backends[slot].serial != 0;
    if (there != wanted || snapshot.v4.services->has_cluster_address(address) != wanted) {
      return false;
    }
    if (!there) continue;
    const Frontend<Ipv4>* frontend =
        snapshot.v4.services->find(address, be16::from_host(turn), kProtocolTcp);
    if (snapshot.backends[slot].port.host() != turn || frontend == nullptr ||
        snapshot.pools[frontend->pools[0]]->members != std::vector<uint32_t>{slot}) {
      return false;
    }
  }
  return true;
}

// As Worker::run does.
struct Reader {
  Reader(Publisher& publisher_, uint32_t index_, bool sleeps_)
      : publisher(publisher_), index(index_), sleeps(sleeps_), thread([this] { run(); }) {}
  ~Reader() {
    stopping = true;
    thread.join();
  }

  void run() {
    rte_rcu_qsbr* const rcu = publisher.rcu();
    rte_rcu_qsbr_thread_register(rcu, index);
    rte_rcu_qsbr_thread_online(rcu, index);
    while (!stopping) {
      if (!is_whole(*publisher.current()->snapshot)) torn++;
      polls++;
      if (sleeps) {
        rte_rcu_qsbr_thread_offline(rcu, index);
        std::this_thread::sleep_for(std::chrono::microseconds(20));
        rte_rcu_qsbr_thread_online(rcu, index);
      } else {
        rte_rcu_qsbr_quiescent(rcu, index);
      }
    }
    rte_rcu_qsbr_thread_offline(rcu, index);
    rte_rcu_qsbr_thread_unregister(rcu, index);
  }

  Publisher& publisher;
  const uint32_t index;
  const bool sleeps;
  std::atomic<bool> stopping{false};
  std::atomic<uint32_t> torn{0}, polls{0};
  std::thread thread;
};

}  // namespace

TEST_CASE("workers that are busy, and such as sleep, find every commit whole") {
  TestProgram program;
  auto world_of = [&](uint16_t turn) {
    const Delta delta = delta_of(turn);
    REQUIRE_FALSE(program.state.check(delta));
    std::shared_ptr<const Snapshot> next = program.state.build(delta);
    return std::make_unique<World>(World{std::move(next), nullptr});
  };
  Publisher publisher(2, world_of(1));
  program.state.settle();
  Reader busy(publisher, 0, false), sleepy(publisher, 1, true);
  uint16_t turn = 2;
  // Until both have seen some of it.
  while (turn < 1000 || busy.polls < 1000 || sleepy.polls < 100) {
    publisher.publish(world_of(turn));
    program.state.settle();
    turn = turn == 60'000 ? 2 : static_cast<uint16_t>(turn + 1);
  }
  CHECK(busy.torn == 0);
  CHECK(sleepy.torn == 0);
}

}  // namespace sluice
