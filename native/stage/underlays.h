// SPDX-License-Identifier: Apache-2.0
// Theory of operation. The way to each tunnel's remote end, looked up once in a burst where nothing
// is to be done on it but to send. Whatever else there may be (no route, a neighbour to be asked)
// is for stage/own_frames to find, frame by frame. One cache per worker.
#pragma once

#include <cstdint>
#include <vector>

#include "stage/adjacencies.h"
#include "stage/outer_header.h"
#include "table/routes.h"
#include "table/tunnels.h"

namespace sluice {

class Underlays {
 public:
  struct Way {
    uint64_t burst = 0;         // for which it was looked up
    uint32_t group = kNoRoute;  // of next hops
    bool several = false;       // it has more than one: each packet's is to be chosen
    uint16_t interface;
    uint16_t mtu = 0;      // 0: not to be told at once
    OuterHeader header{};  // with the MACs, if it is
  };
  // The tunnel has a remote end. `entropy`: of the packet, for routes with several next hops.
  const Way& towards(const Tunnel& tunnel, uint32_t entropy, Context& context);

 private:
  static void lead(Way& way, const Tunnel& tunnel, uint32_t entropy, Context& context);

  std::vector<Way> ways_;  // by slot of the tunnel
};

}  // namespace sluice
