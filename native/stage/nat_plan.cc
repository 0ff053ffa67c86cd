// SPDX-License-Identifier: Apache-2.0
#include "stage/nat_plan.h"

#include "packet/ip.h"
#include "stage/service.h"
#include "stage/snat.h"
#include "table/maglev.h"

namespace sluice {
namespace {

// TCP and SCTP packets that cannot begin a flow.
bool cannot_begin(const Packet& packet, bool pickup) {
  if (packet.type != PacketClass::tcp && packet.type != PacketClass::sctp) return false;
  return (packet.tcp_flags & (kTcpRst | kTcpFin)) || (!pickup && !opens(packet));
}

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
NatPlan<F>& refuse(NatPlan<F>& plan, DropReason reason, bool rejected = false) {
  plan.refused = reason;
  plan.rejected = rejected;
  return plan;
}

// The source of the flow, by the backend that was chosen.
template <class F>
void plan_source(NatPlan<F>& plan, const Packet& packet, bool masquerade, uint32_t doomed,
                 const Context& context) {
  plan.masquerade = masquerade || plan.leaves.destination == packet.tuple<F>().source;
  if (plan.masquerade) {
    const SourceChoice<F> choice =
        choose_source<F>(packet, plan.leaves.destination, *context.snapshot);
    if (choice.refused) {
      refuse(plan, *choice.refused);
      return;
    }
    plan.leaves.source = choice.address;
  }
  const PortChoice port = choose_port<F>(packet, plan.leaves, !plan.masquerade, doomed, context);
  if (!port.found) {
    refuse(plan, DropReason::snat_ports_exhausted);
    return;
  }
  plan.leaves.source_port = port.port;
  plan.expired = port.expired;
}

}  // namespace

template <class F>
NatPlan<F> plan_nat(const Packet& packet, const Context& context, uint32_t doomed) {
  NatPlan<F> plan;
  const Snapshot& snapshot = *context.snapshot;
  const Frontend<F>& frontend = frontend_of<F>(packet);
  if (packet.fragment == FragmentKind::later) return refuse(plan, DropReason::fragment_orphan);
  if (cannot_begin(packet, context.limits->tcp_pickup))
    return refuse(plan, DropReason::tcp_no_flow);

  const Scope scope = scope_of<F>(packet, snapshot);
  plan.pool = frontend.pools[static_cast<size_t>(scope)];
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

  const FiveTuple<F>& tuple = packet.tuple<F>();
  const be16 port = packet.type == PacketClass::echo ? be16{} : backend.port;
  plan.leaves = {tuple.source, F::from(backend.address), tuple.source_port,
                 port,         tuple.protocol,           {}};
  plan_source<F>(plan, packet, frontend.masquerades(scope), doomed, context);
  return plan;
}

template NatPlan<Ipv4> plan_nat<Ipv4>(const Packet&, const Context&, uint32_t);
template NatPlan<Ipv6> plan_nat<Ipv6>(const Packet&, const Context&, uint32_t);

}  // namespace sluice
