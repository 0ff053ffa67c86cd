// SPDX-License-Identifier: Apache-2.0
#include "stage/pipeline.h"

#include "stage/arp.h"
#include "stage/flow.h"
#include "stage/nat.h"
#include "stage/neighbour.h"
#include "stage/parse.h"
#include "stage/rewrite.h"
#include "stage/route.h"
#include "stage/service.h"
#include "stage/tx.h"

namespace sluice {
namespace {

void count_received(const Burst& burst, Context& context) {
  context.counters.add(WorkerCounter::rx, burst.count);
  for (uint32_t i = 0; i < burst.count; i++) {
    const Packet& packet = burst.packets[i];
    if (packet.in_interface >= context.snapshot->interfaces.size()) continue;
    context.counters.add(packet.in_interface, InterfaceCounter::rx_packets, 1);
    context.counters.add(packet.in_interface, InterfaceCounter::rx_bytes, packet.length);
  }
}

void count_held(Context& context) {
  context.counters.set(WorkerCounter::held, context.held.size());
}

}  // namespace

void run_burst(Burst& burst, Context& context) {
  count_received(burst, context);
  run_parse(burst, context);
  run_arp(burst, context);
  run_flow(burst, context);
  run_service(burst, context);
  run_nat(burst, context);
  run_rewrite(burst, context);
  run_route(burst, context);
  run_neighbour(burst, context);
  run_tx(burst, context);
  count_held(context);
}

void run_housekeeping(Context& context) {
  walk_held(context);
  count_held(context);
  const uint32_t expired =
      context.flows->sweep(context.flow_cache, context.worker, kSweepPairs, context.now_s);
  context.counters.add(WorkerCounter::flowsExpired, expired);
}

void drop_held(Context& context, uint16_t interface) {
  std::erase_if(context.held, [&](const HeldPacket& held) {
    if (held.frame.interface != interface) return false;
    drop_frame(context, held.frame.handle, DropReason::interface_removed);
    return true;
  });
  count_held(context);
}

}  // namespace sluice
