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

void set_source(uint8_t* frame, const InterfaceView& egress) {
  std::memcpy(header_at<EthernetHeader>(frame, 0)->source, egress.mac, 6);
}

bool queue_is_full(const Context& context, uint16_t interface, const Address& next_hop) {
  if (context.held.size() >= context.limits->held_packets) return true;
  const auto waiting =
      std::count_if(context.held.begin(), context.held.end(), [&](const HeldPacket& held) {
        return held.next_hop == next_hop && held.frame.interface == interface;
      });
  return waiting >= context.limits->held_per_neighbour;
}

// Of a packet that leaves.
Fate fate_of(const Packet& packet) { return packet.to_host ? Fate::host : Fate::forward; }

void hold(Packet& packet, const Station& station, Context& context) {
  const uint16_t interface = packet.out_interface;
  const Address& next_hop = station.address;
  const std::optional<DropReason> no_room = judge_hold(interface, station, context);
  if (no_room) return packet.drop(*no_room);
  Neighbour* neighbour = context.neighbours->find_or_add(interface, next_hop);
  // Another worker may have taken the last place.
  if (neighbour == nullptr) return packet.drop(DropReason::neighbour_table_full);
  context.held.push_back({{packet.handle, packet.data, packet.length, interface, fate_of(packet)},
                          next_hop,
                          context.now_ms});
  packet.fate = Fate::held;
  solicit(*neighbour, interface, next_hop, context);
}

template <class F>
void resolve(Packet& packet, Context& context) {
  const Station station = find_station<F>(packet, context);
  auto* ethernet = header_at<EthernetHeader>(packet.data, 0);
  set_source(packet.data, context.snapshot->interfaces[packet.out_interface]);
  if (station.mac != nullptr) {
    std::memcpy(ethernet->destination, station.mac, 6);
    packet.fate = fate_of(packet);
    return remember_way<F>(packet, Adjacencies::of_next_hop(packet.next_hop), context);
  }
  Neighbour* neighbour = station.neighbour;
  if (neighbour == nullptr || !neighbour->usable(context.now_ms, context.neighbour_ages)) {
    return hold(packet, station, context);
  }
  neighbour->copy_mac(ethernet->destination);
  packet.fate = fate_of(packet);
  remember_way<F>(packet, Adjacencies::of_neighbour(*context.neighbours, *neighbour), context);
  if (neighbour->stale(context.now_ms, context.neighbour_ages)) {
    solicit(*neighbour, packet.out_interface, station.address, context);
  }
}

enum class Verdict { wait, send, gone };

Verdict judge_held(const HeldPacket& held, Context& context) {
  const Frame& frame = held.frame;
  const InterfaceView& egress = context.snapshot->interfaces[frame.interface];
  auto drop = [&](DropReason reason) {
    drop_frame(context, frame.handle, reason);
    return Verdict::gone;
  };
  if (!egress.present) return drop(DropReason::interface_removed);
  if (!egress.up->load(std::memory_order_relaxed)) return drop(DropReason::interface_down);
  Neighbour* neighbour = context.neighbours->find(frame.interface, held.next_hop);
  if (neighbour != nullptr && neighbour->usable(context.now_ms, context.neighbour_ages)) {
    set_source(frame.data, egress);
    neighbour->copy_mac(header_at<EthernetHeader>(frame.data, 0)->destination);
    return Verdict::send;
  }
  if (context.now_ms >= held.since_ms + uint64_t{context.limits->timeouts.hold} * 1000) {
    return drop(DropReason::neighbour_unresolved);
  }
  if (neighbour != nullptr) solicit(*neighbour, frame.interface, held.next_hop, context);
  return Verdict::wait;
}

}  // namespace

std::optional<DropReason> judge_hold(uint16_t interface, const Station& station,
                                     const Context& context) {
  if (queue_is_full(context, interface, station.address)) return DropReason::neighbour_queue_full;
  const bool table_full = context.neighbours->used() >= context.limits->neighbours;
  if (station.neighbour == nullptr && table_full) return DropReason::neighbour_table_full;
  return {};
}

template <class F>
Station find_station(const Packet& packet, const Context& context) {
  const NextHop& hop = context.snapshot->next_hops[packet.next_hop];
  Station station{hop.gateway, nullptr, nullptr};
  if (hop.gateway.is_zero()) station.address = F::general(ip_header<F>(packet.data)->destination);
  if (hop.has_mac) {
    station.mac = hop.mac;
  } else {
    station.neighbour = context.neighbours->find(packet.out_interface, station.address);
  }
  return station;
}

template <class F>
void run_neighbour(Burst& burst, Context& context) {
  for (uint32_t i = 0; i < burst.count; i++) {
    Packet& packet = burst.packets[i];
    if (is_pending<F>(packet)) resolve<F>(packet, context);
  }
}

void walk_held(Context& context) {
  Frame ready[kMaxBurst];
  uint32_t ready_count = 0;
  size_t kept = 0;
  for (const HeldPacket& held : context.held) {
    switch (judge_held(held, context)) {
      case Verdict::wait:
        context.held[kept++] = held;
        break;
      case Verdict::gone:
        break;
      case Verdict::send:
        ready[ready_count++] = held.frame;
        break;
    }
    if (ready_count == kMaxBurst) {
      send_frames(context, ready, ready_count);
      ready_count = 0;
    }
  }
  context.held.resize(kept);
  send_frames(context, ready, ready_count);
  send_originated(context);
}

template void run_neighbour<Ipv4>(Burst&, Context&);
template void run_neighbour<Ipv6>(Burst&, Context&);
template Station find_station<Ipv4>(const Packet&, const Context&);
template Station find_station<Ipv6>(const Packet&, const Context&);

}  // namespace sluice
