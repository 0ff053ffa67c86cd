// SPDX-License-Identifier: Apache-2.0
// Theory of operation. The way to each tunnel's remote end, looked up once in a burst where nothing
// is to be done on it but to send. Whatever else there may be (no route, a neighbour to be asked)
// is for stage/own_frames to find, frame by frame. One cache per worker.
#pragma once

#include <cstdint>
#include <vector>

#include "stage/adjacencies.h"
#include "table/routes.h"
#include "table/tunnels.h"

namespace sluice {

class Underlays {
 public:
  // Null: not to be told at once. `entropy`: of the packet, for routes with several next hops.
  const Adjacency* towards(const Tunnel& tunnel, uint32_t entropy, Context& context);

 private:
  struct Way {
    uint64_t burst = 0;               // for which it was looked up
    uint32_t group = kNoRoute;        // of next hops
    const Adjacency* only = nullptr;  // where the group has but one next hop
  };
  std::vector<Way> ways_;  // by slot of the tunnel
};

}  // namespace sluice
