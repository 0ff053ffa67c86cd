// SPDX-License-Identifier: Apache-2.0
#include "stage/neighbour.h"

#include <algorithm>
#include <cstring>

#include "packet/ip.h"
#include "stage/shortcut.h"
#include "stage/solicit.h"
#include "stage/tx.h"

namespace sluice {
namespace {

// Of a packet that leaves.
Fate fate_of(const Packet& packet) { return packet.to_host ? Fate::host : Fate::forward; }

void hold(Packet& packet, const Station& station, Context& context) {
  const Frame frame{packet.handle,        packet.data,     packet.length,
                    packet.out_interface, fate_of(packet), packet.hash};
  const std::optional<DropReason> no_room = hold_frame(frame, station, context);
  if (no_room) return packet.drop(*no_room);
  packet.fate = Fate::held;
}

template <class F>
void resolve(Packet& packet, Context& context) {
  const Station station = find_station<F>(packet, context);
  if (reach(packet.data, station, packet.out_interface, context) == StationMac::unknown) {
    return hold(packet, station, context);
  }
  packet.fate = fate_of(packet);
  const uint16_t adjacency =
      station.mac != nullptr ? Adjacencies::of_next_hop(packet.next_hop)
                             : Adjacencies::of_neighbour(*context.neighbours, *station.neighbour);
  remember_way<F>(packet, adjacency, context);
}

enum class Verdict { wait, send, gone };

Verdict judge_held(const HeldPacket& held, Context& context) {
  const Frame& frame = held.frame;
  const InterfaceView& egress = context.snapshot->interfaces[frame.interface];
  auto drop = [&](DropReason reason) {
    drop_frame(context, frame, reason);
    return Verdict::gone;
  };
  if (!egress.present) return drop(DropReason::interface_removed);
  if (!egress.up->load(std::memory_order_relaxed)) return drop(DropReason::interface_down);
  Neighbour* neighbour = context.neighbours->find(frame.interface, held.next_hop);
  if (neighbour != nullptr && neighbour->usable(context.now_ms, context.neighbour_ages)) {
    auto* ethernet = header_at<EthernetHeader>(frame.data, 0);
    std::memcpy(ethernet->source, egress.mac, sizeof(egress.mac));
    neighbour->copy_mac(ethernet->destination);
    return Verdict::send;
  }
  if (context.now_ms >= held.since_ms + uint64_t{context.limits->timeouts.hold} * 1000) {
    return drop(DropReason::neighbour_unresolved);
  }
  if (neighbour != nullptr) solicit(*neighbour, frame.interface, held.next_hop, context);
  return Verdict::wait;
}

}  // namespace

template <class F>
Station find_station(const Packet& packet, const Context& context) {
  const NextHop& hop = context.snapshot->next_hops[packet.next_hop];
  return station_of(hop, F::general(ip_header<F>(packet.data)->destination), context);
}

template <class F>
void run_neighbour(Burst& burst, Context& context) {
  for (uint32_t i = 0; i < burst.count; i++) {
    Packet& packet = burst.packets[i];
    if (is_pending<F>(packet)) resolve<F>(packet, context);
  }
}

// What is set free is sent when the walk is over: on its way into a tunnel it may have to wait
// again.
void walk_held(Context& context) {
  size_t kept = 0;
  for (const HeldPacket& held : context.held) {
    const Verdict verdict = judge_held(held, context);
    if (verdict == Verdict::wait) {
      context.held[kept++] = held;
      continue;
    }
    let_go(held, context);
    if (verdict == Verdict::send) context.ready.push_back(held.frame);
  }
  context.held.resize(kept);
  for (size_t first = 0; first < context.ready.size(); first += kMaxBurst) {
    const size_t count = std::min<size_t>(kMaxBurst, context.ready.size() - first);
    send_frames(context, &context.ready[first], static_cast<uint32_t>(count));
  }
  context.ready.clear();
  send_originated(context);
}

void let_go(const HeldPacket& held, Context& context) {
  context.held_own -= held.frame.fate == Fate::pending;
}

template void run_neighbour<Ipv4>(Burst&, Context&);
template void run_neighbour<Ipv6>(Burst&, Context&);
template Station find_station<Ipv4>(const Packet&, const Context&);
template Station find_station<Ipv6>(const Packet&, const Context&);

}  // namespace sluice
