// SPDX-License-Identifier: Apache-2.0
#include "stage/flow.h"

#include <bit>

#include "packet/ip.h"
#include "stage/reject.h"
#include "stage/related.h"
#include "stage/shortcut.h"

namespace sluice {
namespace {

enum class BackendLife : uint8_t { serves, gone, flushed };

template <class F>
BackendLife life_of_backend(const FlowEntry<F>& entry, const Snapshot& snapshot) {
  if (entry.backend_slot == kNoBackend) return BackendLife::serves;
  if (!snapshot.is_backend(entry.backend_slot, entry.backend_serial)) return BackendLife::gone;
  return snapshot.backends[entry.backend_slot].flushed ? BackendLife::flushed : BackendLife::serves;
}

// A packet that may find another backend as well as a new client's first one would. TCP and SCTP
// midway cannot: the other backend knows nothing of the connection.
bool may_begin_anew(const Packet& packet) {
  return packet.fragment != FragmentKind::later &&
         (packet.type == PacketClass::udp || packet.type == PacketClass::echo || opens(packet));
}

// A packet whose backend is gone. Another one may know what came to it as it comes to all of them.
template <class F>
bool may_move(const Packet& packet, const FlowEntry<F>& entry) {
  if ((entry.marks & kOneWay) != 0) return packet.fragment != FragmentKind::later;
  return may_begin_anew(packet);
}

// The shortcut is not for these, and what they mean depends on the other side.
bool needs_pair(const Packet& packet) { return (packet.tcp_flags & (kTcpSyn | kTcpRst)) != 0; }

template <class F>
void remove_and_count(uint32_t index, Context& context, WorkerCounter counter) {
  if (context.flows<F>().remove(context.flow_cache<F>(), index)) context.counters.add(counter, 1);
}

}  // namespace

template <class F>
FlowFound judge_flow(const Packet& packet, const Context& context) {
  const FlowTable<F>& flows = context.flows<F>();
  const Snapshot& snapshot = *context.snapshot;
  const uint32_t index = flows.find(packet.tuple<F>(), packet.hash);
  if (index == kNoFlow) return {FlowVerdict::none, index, {}};
  if (flows.expired(index, context.now_s)) return {FlowVerdict::expired, index, {}};
  const bool forward = (index & 1) == 0;
  switch (life_of_backend<F>(flows.entry(index), snapshot)) {
    case BackendLife::gone:
      if (forward && may_move<F>(packet, flows.entry(index))) {
        return {FlowVerdict::cleared, index, {}};
      }
      break;
    case BackendLife::flushed:
      return {forward && may_begin_anew(packet) ? FlowVerdict::cleared : FlowVerdict::flushed,
              index,
              {}};
    case BackendLife::serves:
      break;
  }
  if (forward && opens(packet) && flows.state(index) >= FlowState::time_wait) {
    return {FlowVerdict::superseded, index, {}};
  }
  const PolicyVerdict policy =
      judge_policy<F>(conversation_of<F>(flows.entry(index & ~1u)), snapshot);
  return {policy.refused ? FlowVerdict::denied : FlowVerdict::hit, index, policy};
}

template <class F>
void remove_expired(uint32_t index, Context& context) {
  remove_and_count<F>(index, context, WorkerCounter::flowsExpired);
}

template <class F>
bool follow_flow(Packet& packet, Context& context) {
  const auto [verdict, index, policy] = judge_flow<F>(packet, context);
  FlowTable<F>& flows = context.flows<F>();
  switch (verdict) {
    case FlowVerdict::none:
      return false;
    case FlowVerdict::hit:
      flows.count(index, context.now_s, packet.l3_length, packet.tcp_flags);
      packet.flow = index;
      return true;
    case FlowVerdict::denied:
      packet.drop(*policy.refused);
      return true;
    case FlowVerdict::expired:
      remove_expired<F>(index, context);
      return false;
    case FlowVerdict::cleared:
      remove_and_count<F>(index, context, WorkerCounter::flowsCleared);
      return false;
    case FlowVerdict::flushed:
      remove_and_count<F>(index, context, WorkerCounter::flowsCleared);
      if ((index & 1) == 0) {
        reject<F>(packet, DropReason::backend_flushed, context);
      } else {
        packet.drop(DropReason::backend_flushed);
      }
      return true;
    case FlowVerdict::superseded:
      flows.remove(context.flow_cache<F>(), index);
      return false;
  }
  return false;
}

template <class F>
bool is_stale(const FlowEntry<F>& entry, const Snapshot& snapshot) {
  const uint8_t protocol = entry.key.protocol;
  return (protocol == kProtocolUdp || protocol == Wire<F>::kIcmp) &&
         life_of_backend<F>(entry, snapshot) != BackendLife::serves;
}

template <class F>
void run_flow(Burst& burst, Context& context) {
  FlowTable<F>& flows = context.flows<F>();
  const uint64_t plain = burst.plain<F>();
  uint32_t guesses[kMaxBurst];
  uint64_t elsewhere = 0;
  for (uint64_t left = plain; left != 0; left &= left - 1) {
    const auto i = static_cast<uint32_t>(std::countr_zero(left));
    const Packet& packet = burst.packets[i];
    guesses[i] = flows.prefetch_entry(packet.hash, needs_pair(packet));
    elsewhere |= uint64_t{guesses[i] == kMaybeElsewhere} << i;
  }
  for (uint64_t left = elsewhere; left != 0; left &= left - 1) {
    const auto i = static_cast<uint32_t>(std::countr_zero(left));
    const Packet& packet = burst.packets[i];
    guesses[i] = flows.prefetch_entry_elsewhere(packet.hash, needs_pair(packet));
  }
  for (uint32_t i = 0; i < burst.count; i++) {
    Packet& packet = burst.packets[i];
    if ((plain >> i & 1) != 0) {
      // Nobody has its tag: a miss. What the burst itself makes, nat finds.
      if (guesses[i] == kNoFlow) continue;
      FlowEntry<F>& entry = flows.entry(guesses[i]);
      if (entry.is_of(packet.tuple<F>()) && take_shortcut<F>(packet, entry, context)) continue;
    }
    if (!is_pending<F>(packet)) continue;
    if (has_flow(packet.type)) {
      follow_flow<F>(packet, context);
    } else if (packet.type == PacketClass::icmp_error) {
      follow_related<F>(packet, context);
    }
  }
}

template void run_flow<Ipv4>(Burst&, Context&);
template void run_flow<Ipv6>(Burst&, Context&);
template FlowFound judge_flow<Ipv4>(const Packet&, const Context&);
template FlowFound judge_flow<Ipv6>(const Packet&, const Context&);
template bool follow_flow<Ipv4>(Packet&, Context&);
template bool follow_flow<Ipv6>(Packet&, Context&);
template void remove_expired<Ipv4>(uint32_t, Context&);
template void remove_expired<Ipv6>(uint32_t, Context&);
template bool is_stale<Ipv4>(const FlowEntry<Ipv4>&, const Snapshot&);
template bool is_stale<Ipv6>(const FlowEntry<Ipv6>&, const Snapshot&);

}  // namespace sluice
