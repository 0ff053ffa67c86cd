// SPDX-License-Identifier: Apache-2.0
#include "stage/nat_plan.h"

#include "packet/ip.h"
#include "packet/l4.h"
#include "stage/service.h"
#include "stage/snat.h"
#include "table/maglev.h"

namespace sluice {
namespace {

template <class F>
std::optional<uint32_t> remembered_backend(const Packet& packet, const Pool& pool,
                                           const Context& context) {
  const Frontend<F>& frontend = frontend_of<F>(packet);
  if (frontend.affinity_s == 0) return {};
  const auto memory = context.affinities->find(F::general(packet.tuple<F>().source),
                                               frontend.service, context.now_s);
  if (!memory || !context.snapshot->is_backend(memory->slot, memory->serial) ||
      !pool.is_eligible(memory->slot)) {
    return {};
  }
  return memory->slot;
}

template <class F>
void refuse(NatPlan<F>& plan, DropReason reason, bool rejected = false) {
  plan.refused = reason;
  plan.rejected = rejected;
}

// The pool's backend for the packet, by affinity or Maglev.
template <class F>
void plan_backend(NatPlan<F>& plan, const Packet& packet, Scope scope, const Context& context) {
  const Snapshot& snapshot = *context.snapshot;
  plan.pool = frontend_of<F>(packet).pools[static_cast<size_t>(scope)];
  const Pool& pool = *snapshot.pools[*plan.pool];
  if (pool.maglev.empty()) {
    return pool.silent ? refuse(plan, DropReason::no_local_backend)
                       : refuse(plan, DropReason::no_backend, true);
  }
  plan.backend = remembered_backend<F>(packet, pool, context);
  plan.affinity = plan.backend.has_value();
  if (!plan.affinity) {
    plan.maglev_slot = maglev_slot(packet.hash, pool.maglev.size());
    plan.backend = pool.maglev[*plan.maglev_slot];
  }
  const BackendRecord& backend = snapshot.backends[*plan.backend];
  if (!F::holds(backend.address)) return refuse(plan, DropReason::no_backend);
  plan.one_way = snapshot.is_one_way(*plan.backend);
  if (plan.one_way) return;
  plan.leaves.destination = F::from(backend.address);
  if (packet.type != PacketClass::echo) plan.leaves.destination_port = backend.port;
}

template <class F>
void plan_masquerade(NatPlan<F>& plan, const Packet& packet, bool masquerade,
                     const Context& context) {
  plan.masquerade = masquerade || plan.leaves.destination == packet.tuple<F>().source;
  if (!plan.masquerade) return;
  const SourceChoice<F> choice =
      choose_source<F>(packet, plan.leaves.destination, *context.snapshot);
  if (choice.refused) return refuse(plan, *choice.refused);
  plan.leaves.source = choice.address;
}

template <class F>
void plan_port(NatPlan<F>& plan, const Packet& packet, uint32_t doomed, const Context& context) {
  const PortChoice port =
      plan.one_way ? keep_port<F>(packet, plan.leaves, doomed, context)
                   : choose_port<F>(packet, plan.leaves, !plan.masquerade, doomed, context);
  if (!port.found) return refuse(plan, DropReason::snat_ports_exhausted);
  plan.leaves.source_port = port.port;
  plan.expired = port.expired;
}

}  // namespace

bool cannot_begin(const Packet& packet, bool pickup) {
  if (packet.fragment == FragmentKind::later) return true;
  if (packet.type != PacketClass::tcp && packet.type != PacketClass::sctp) return false;
  return (packet.tcp_flags & (kTcpRst | kTcpFin)) || (!pickup && !opens(packet));
}

template <class F>
NatPlan<F> plan_nat(const Packet& packet, const Context& context, uint32_t doomed) {
  NatPlan<F> plan;
  const FiveTuple<F>& tuple = packet.tuple<F>();
  plan.leaves = tuple;
  if (packet.type == PacketClass::echo) {
    // Of a reply that begins a flow, too.
    plan.leaves.source_port = identifier_of(tuple.source_port, tuple.destination_port);
    plan.leaves.destination_port = {};
  }
  if (cannot_begin(packet, context.limits->tcp_pickup)) {
    const bool is_later = packet.fragment == FragmentKind::later;
    refuse(plan, is_later ? DropReason::fragment_orphan : DropReason::tcp_no_flow);
    return plan;
  }
  const bool tracked = packet.frontend == nullptr;
  const Scope scope = tracked ? Scope{} : scope_of<F>(packet, *context.snapshot);
  if (!tracked) plan_backend<F>(plan, packet, scope, context);
  if (plan.refused) return plan;

  plan.policy = judge_policy<F>({tuple.source, plan.leaves.destination, tuple.protocol,
                                 plan.leaves.destination_port, !tracked},
                                *context.snapshot);
  plan.refused = plan.policy.refused;
  if (!plan.refused && !tracked && !plan.one_way) {
    plan_masquerade<F>(plan, packet, frontend_of<F>(packet).masquerades(scope), context);
  }
  if (!plan.refused) plan_port<F>(plan, packet, doomed, context);
  return plan;
}

template NatPlan<Ipv4> plan_nat<Ipv4>(const Packet&, const Context&, uint32_t);
template NatPlan<Ipv6> plan_nat<Ipv6>(const Packet&, const Context&, uint32_t);

}  // namespace sluice
