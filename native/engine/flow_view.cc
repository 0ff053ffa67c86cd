// SPDX-License-Identifier: Apache-2.0
#include "engine/flow_view.h"

#include <algorithm>

namespace sluice {

template <class F>
void collect_flows(const FlowTable<F>& flows, uint32_t now_s, size_t limit,
                   std::vector<FlowView>& views) {
  for (uint32_t pair = 0; pair < flows.capacity() && views.size() < limit; ++pair) {
    const uint32_t index = 2 * pair;
    if (!flows.alive(index) || flows.expired(index, now_s)) continue;
    const FlowEntry<F>& forward = flows.entry(index);
    const FlowEntry<F>& reply = flows.entry(index + 1);
    const uint32_t last_seen =
        reply.packets ? std::max(forward.last_seen, reply.last_seen) : forward.last_seen;
    views.push_back({.protocol = forward.key.protocol,
                     .state = flows.state(index),
                     .client_port = forward.key.source_port,
                     .service_port = forward.key.destination_port,
                     .backend_port = forward.destination_port,
                     .source_port = forward.source_port,
                     .client = F::general(forward.key.source),
                     .service = F::general(forward.key.destination),
                     .backend = F::general(forward.destination),
                     .source = F::general(forward.source),
                     .backend_slot = forward.backend_slot,
                     .idle_s = now_s > last_seen ? now_s - last_seen : 0,
                     .packets = forward.packets,
                     .bytes = forward.bytes,
                     .reply_packets = reply.packets,
                     .reply_bytes = reply.bytes});
  }
}

template void collect_flows(const FlowTable<Ipv4>&, uint32_t, size_t, std::vector<FlowView>&);
template void collect_flows(const FlowTable<Ipv6>&, uint32_t, size_t, std::vector<FlowView>&);

}  // namespace sluice
