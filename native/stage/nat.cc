// SPDX-License-Identifier: Apache-2.0
#include "stage/nat.h"

#include <algorithm>
#include <span>

#include "packet/checksum_changes.h"
#include "packet/ip.h"
#include "packet/l4.h"
#include "stage/flow.h"
#include "stage/nat_plan.h"
#include "stage/reject.h"
#include "stage/service.h"
#include "table/maglev.h"

namespace sluice {
namespace {

// How often a plan is made anew because another worker has used its five-tuple meanwhile.
constexpr uint32_t kPlans = 4;

// What a connection keeps of its first packet.
uint8_t marks_of(const Packet& packet, const Snapshot& snapshot) {
  return snapshot.interfaces[packet.in_interface].tunnel != nullptr ? kCameByTunnel : 0;
}

// An entry for packets that arrive with `key` and leave with `leaves`.
template <class F>
FlowEntry<F> translation(const FiveTuple<F>& key, const FiveTuple<F>& leaves,
                         const Snapshot& snapshot, const NatPlan<F>& plan, uint8_t marks) {
  FlowEntry<F> entry{};
  entry.marks = marks;
  entry.key = {key.source, key.destination, key.source_port, key.destination_port, key.protocol};
  entry.source = leaves.source;
  entry.destination = leaves.destination;
  entry.source_port = leaves.source_port;
  entry.destination_port = leaves.destination_port;
  const uint64_t addresses =
      change(key.source, leaves.source) + change(key.destination, leaves.destination);
  const bool echo = key.protocol == Wire<F>::kIcmp;
  const uint64_t ports = echo ? change(identifier_of(key.source_port, key.destination_port),
                                       identifier_of(leaves.source_port, leaves.destination_port))
                              : change(key.source_port, leaves.source_port) +
                                    change(key.destination_port, leaves.destination_port);
  const bool has_pseudo_header = key.protocol != kProtocolIcmp || F::kVersion == 6;
  entry.way.l4_delta = fold(has_pseudo_header ? addresses + ports : ports);
  entry.backend_slot = plan.backend.value_or(kNoBackend);
  if (plan.backend) entry.backend_serial = snapshot.backends[*plan.backend].serial;
  return entry;
}

template <class F>
Inserted insert(const Packet& packet, const NatPlan<F>& plan, Context& context) {
  const FiveTuple<F>& tuple = packet.tuple<F>();
  const Snapshot& snapshot = *context.snapshot;
  const uint8_t marks = marks_of(packet, snapshot) | (plan.one_way ? kOneWay : 0);
  FlowEntry<F> forward = translation<F>(tuple, plan.leaves, snapshot, plan, marks);
  forward.last_seen = context.now_s;
  forward.packets = 1;
  forward.bytes = packet.l3_length;
  forward.tcp_flags = packet.tcp_flags;
  const FlowEntry<F> reply =
      translation<F>(plan.leaves.reversed(), tuple.reversed(), snapshot, plan, marks);
  Removals removals;
  const Inserted inserted = context.flows<F>().insert(context.flow_cache<F>(), context.worker,
                                                      context.now_s, forward, reply, removals);
  context.counters.add(WorkerCounter::flowsExpired, removals.expired);
  context.counters.add(WorkerCounter::flowsEvicted, removals.evicted);
  return inserted;
}

template <class F>
void remember(const Packet& packet, uint32_t backend, Context& context) {
  const Frontend<F>& frontend = frontend_of<F>(packet);
  if (frontend.affinity_s == 0) return;
  const uint32_t expires_s =
      context.now_s + std::min(frontend.affinity_s, UINT32_MAX - context.now_s);
  context.affinities->remember(F::general(packet.tuple<F>().source), frontend.service,
                               {backend, context.snapshot->backends[backend].serial}, expires_s,
                               context.now_s);
}

// False: another worker was faster with one of the five-tuples.
template <class F>
bool carry_out(Packet& packet, const NatPlan<F>& plan, Context& context) {
  if (plan.expired != kNoFlow) remove_expired<F>(plan.expired, context);
  const Inserted inserted = insert<F>(packet, plan, context);
  if (inserted.outcome == InsertOutcome::taken) return false;
  if (inserted.outcome == InsertOutcome::full) {
    packet.drop(DropReason::flow_table_full);
    return true;
  }
  packet.flow = inserted.index;
  CounterBlock& counters = context.counters;
  counters.add(WorkerCounter::flowsCreated, 1);
  counters.add(WorkerCounter::affinityHits, plan.affinity ? 1 : 0);
  counters.add(WorkerCounter::masqueraded, plan.masquerade ? 1 : 0);
  if (plan.backend) {
    counters.add_connection(*plan.backend);
    remember<F>(packet, *plan.backend, context);
  }
  return true;
}

template <class F>
void make_flow(Packet& packet, Context& context) {
  for (uint32_t plans = 0; plans < kPlans; plans++) {
    if (follow_flow<F>(packet, context)) return;
    const NatPlan<F> plan = plan_nat<F>(packet, context);
    if (plan.refused) {
      return plan.rejected ? reject<F>(packet, *plan.refused, context) : packet.drop(*plan.refused);
    }
    if (carry_out<F>(packet, plan, context)) return;
  }
  packet.drop(DropReason::snat_ports_exhausted);
}

// A packet that a flow is to be made for, if nobody has made it meanwhile.
template <class F>
bool is_new(const Packet& packet) {
  return is_pending<F>(packet) && packet.flow == kNoFlow &&
         (packet.frontend != nullptr || packet.tracked);
}

// A new flow reads, one after the other, its pool, a place of the pool's Maglev table, the backend
// there, and buckets: each as good as never in the cache. For a burst of them it is done in step,
// so that the waiting is for all at once. Does nothing but prefetch.
template <class F>
void warm_up(const Burst& burst, const Context& context) {
  const Snapshot& snapshot = *context.snapshot;
  struct New {
    const Packet* packet;
    const Pool* pool;       // null: tracked
    const uint32_t* place;  // null: tracked, or no backend
    uint32_t reply_hash;
    bool will_be() const { return pool == nullptr || place != nullptr; }
  };
  New all[kMaxBurst];
  uint32_t count = 0;
  for (uint32_t i = 0; i < burst.count; i++) {
    const Packet& packet = burst.packets[i];
    if (!is_new<F>(packet)) continue;
    const Pool* pool = nullptr;
    if (packet.frontend != nullptr) {
      const auto scope = static_cast<size_t>(scope_of<F>(packet, snapshot));
      pool = snapshot.pools[frontend_of<F>(packet).pools[scope]].get();
      __builtin_prefetch(pool);
    }
    all[count++] = {&packet, pool, nullptr, 0};
  }
  if (count < 2) return;
  const FlowTable<F>& flows = context.flows<F>();
  const FlowCache& cache = context.flow_cache<F>();
  flows.prefetch_relief(cache, context.worker, count);
  for (New& each : std::span(all, count)) {
    if (each.pool == nullptr || each.pool->maglev.empty()) continue;
    const auto& maglev = each.pool->maglev;
    each.place = &maglev[maglev_slot(each.packet->hash, maglev.size())];
    __builtin_prefetch(each.place);
  }
  for (const New& each : std::span(all, count)) {
    if (each.place != nullptr) __builtin_prefetch(&snapshot.backends[*each.place]);
  }
  for (uint32_t n = 0; n < count; n++) {
    if (!all[n].will_be()) continue;
    const FiveTuple<F>& tuple = all[n].packet->template tuple<F>();
    FiveTuple<F> reply = tuple.reversed();
    if (all[n].place != nullptr && !snapshot.is_one_way(*all[n].place)) {
      const BackendRecord& backend = snapshot.backends[*all[n].place];
      reply.source = F::from(backend.address);
      reply.source_port = backend.port;
    }
    all[n].reply_hash = flow_hash(reply);
    flows.prefetch_insertion(cache, n, all[n].reply_hash);
  }
  for (const New& each : std::span(all, count)) {
    if (!each.will_be()) continue;
    flows.prefetch_overflow(each.packet->hash);
    flows.prefetch_overflow(each.reply_hash);
  }
  flows.prefetch_relief_overflow(cache, context.worker, count);
}

}  // namespace

template <class F>
void run_nat(Burst& burst, Context& context) {
  warm_up<F>(burst, context);
  for (uint32_t i = 0; i < burst.count; i++) {
    Packet& packet = burst.packets[i];
    if (is_new<F>(packet)) make_flow<F>(packet, context);
  }
}

template void run_nat<Ipv4>(Burst&, Context&);
template void run_nat<Ipv6>(Burst&, Context&);

}  // namespace sluice
