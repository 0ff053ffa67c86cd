// SPDX-License-Identifier: Apache-2.0
// Connections of either family as they are shown outside.
#pragma once

#include <cstdint>
#include <vector>

#include "table/flow_table.h"

namespace sluice {

// One connection as `flows` reports it: the twin of FlowRecord in lib/engine/engine.ts.
struct FlowView {
  uint8_t protocol;
  FlowState state;
  be16 client_port, service_port, backend_port, source_port;
  Address client, service, backend, source;
  uint32_t backend_slot;  // or kNoBackend
  uint32_t idle_s;
  uint64_t packets, bytes, reply_packets, reply_bytes;
};

// Adds those that have not expired until there are `limit` views. By a reader that is known to RCU.
template <class F>
void collect_flows(const FlowTable<F>& flows, uint32_t now_s, size_t limit,
                   std::vector<FlowView>& views);

}  // namespace sluice
