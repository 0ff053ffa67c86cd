// SPDX-License-Identifier: Apache-2.0
#include "engine/worker_load.h"

#include <doctest/doctest.h>

namespace sluice {
namespace {

TEST_CASE("without traffic: fewest queues, then the first") {
  WorkerLoad load(3);
  CHECK(load.pick({0, 0, 0}) == 0);
  CHECK(load.pick({1, 0, 0}) == 1);
  CHECK(load.pick({2, 1, 1}) == 1);
}

TEST_CASE("the odd packet decides nothing, a load does, whatever the queues") {
  WorkerLoad load(2);
  load.sample({1'000'000, 0}, 1000);  // counted before anybody looked
  load.sample({1'000'040, 0}, 1050);  // 100 a second, smoothed
  CHECK(load.pick({1, 2}) == 0);
  for (uint64_t tick = 1; tick <= 20; tick++) {
    load.sample({1'000'040 + tick * 50'000, 0}, 1050 + tick * 50);
  }
  CHECK(load.pick({1, 9}) == 1);
}

TEST_CASE("a load that is over is forgotten within a few seconds") {
  WorkerLoad load(2);
  load.sample({0, 0}, 1000);
  load.sample({50'000'000, 0}, 1050);
  for (uint64_t tick = 1; tick <= 100; tick++) load.sample({50'000'000, 0}, 1050 + tick * 50);
  CHECK(load.pick({0, 1}) == 0);
}

TEST_CASE("interfaces that come together are spread by what a queue carries") {
  WorkerLoad load(2);
  load.sample({0, 0}, 1000);
  load.sample({800'000, 400'000}, 1050);
  uint32_t queues[] = {2, 1};
  for (int i = 0; i < 6; i++) queues[load.pick({queues[0], queues[1]})]++;
  CHECK(queues[0] >= 4);
  CHECK(queues[1] >= 4);
}

}  // namespace
}  // namespace sluice
