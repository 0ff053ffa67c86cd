// SPDX-License-Identifier: Apache-2.0
#include "stage/pipeline.h"

#include <algorithm>

#include "packet/ip.h"
#include "stage/arp.h"
#include "stage/decap.h"
#include "stage/flow.h"
#include "stage/fragment.h"
#include "stage/mss.h"
#include "stage/nat.h"
#include "stage/nd.h"
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
  for (uint32_t first = 0, next; first < burst.count; first = next) {
    const uint16_t interface = burst.packets[first].in_interface;
    uint64_t bytes = 0;
    for (next = first; next < burst.count && burst.packets[next].in_interface == interface;
         next++) {
      bytes += burst.packets[next].length;
    }
    if (interface >= context.snapshot->interfaces.size()) continue;
    context.counters.add(interface, InterfaceCounter::rx_packets, next - first);
    context.counters.add(interface, InterfaceCounter::rx_bytes, bytes);
  }
}

void count_waiting(Context& context) {
  const uint32_t waiting = context.fragments->waiting();
  context.counters.set(WorkerCounter::held, context.held.size() - context.held_own + waiting);
  context.counters.set(WorkerCounter::fragments, context.fragments->datagrams());
  context.counters.set(WorkerCounter::fragmentPackets, waiting);
}

template <class F>
bool none_pending(const Burst& burst) {
  return std::none_of(burst.packets, burst.packets + burst.count, is_pending<F>);
}

template <class F>
void run_family(Burst& burst, Context& context) {
  if (none_pending<F>(burst)) return;
  run_flow<F>(burst, context);
  if (none_pending<F>(burst)) return;
  run_service<F>(burst, context);
  run_nat<F>(burst, context);
  run_route<F>(burst, context);
  run_rewrite<F>(burst, context);
  if (context.snapshot->tunnels != nullptr) run_mss<F>(burst, context);
  run_neighbour<F>(burst, context);
}

void run_from_flow_on(Burst& burst, Context& context) {
  run_family<Ipv4>(burst, context);
  run_family<Ipv6>(burst, context);
  run_tx(burst, context);
}

// `burst`: room that is free again.
void run_released(Burst& burst, Context& context) {
  burst.clear_facts();
  for (size_t first = 0; first < context.released.size(); first += burst.count) {
    const size_t left = context.released.size() - first;
    burst.count = static_cast<uint32_t>(std::min<size_t>(left, kMaxBurst));
    std::copy_n(&context.released[first], burst.count, burst.packets);
    run_from_flow_on(burst, context);
  }
  context.released.clear();
}

template <class F>
void sweep(Context& context) {
  const Removals removals = context.flows<F>().sweep(
      context.flow_cache<F>(), context.worker, kSweepPairs, context.now_s,
      [&](const FlowEntry<F>& entry) { return is_stale<F>(entry, *context.snapshot); });
  context.counters.add(WorkerCounter::flowsExpired, removals.expired);
  context.counters.add(WorkerCounter::flowsCleared, removals.cleared);
}

}  // namespace

void run_burst(Burst& burst, Context& context) {
  context.adjacencies.next_burst();
  count_received(burst, context);
  if (context.snapshot->tunnels != nullptr) run_plain_decap(burst, context);
  run_parse(burst, context);
  if (context.snapshot->tunnels != nullptr) run_decap(burst, context);
  run_arp(burst, context);
  run_nd(burst, context);
  run_fragment(burst, context);
  run_from_flow_on(burst, context);
  run_released(burst, context);
  count_waiting(context);
}

void run_housekeeping(Context& context) {
  context.adjacencies.next_burst();
  walk_held(context);
  context.fragments->expire(context.now_s);
  count_waiting(context);
  if (context.now_ms == context.swept_ms) return;
  context.swept_ms = context.now_ms;
  sweep<Ipv4>(context);
  sweep<Ipv6>(context);
  context.affinities->sweep(context.affinity_sweep_next, context.worker, context.limits->workers,
                            kSweepAffinities, context.now_s);
}

void drop_held(Context& context, uint16_t interface) {
  std::erase_if(context.held, [&](const HeldPacket& held) {
    if (held.frame.interface != interface) return false;
    let_go(held, context);
    drop_frame(context, held.frame, DropReason::interface_removed);
    return true;
  });
  context.fragments->drop_from(interface);
  count_waiting(context);
}

}  // namespace sluice
