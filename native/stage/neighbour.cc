// SPDX-License-Identifier: Apache-2.0
#include "stage/neighbour.h"

#include <algorithm>
#include <cstring>

#include "packet/headers.h"
#include "stage/tx.h"

namespace sluice {
namespace {

be32 sender_address(const InterfaceView& view, be32 target) {
  for (const InterfaceAddress& own : view.addresses) {
    const uint32_t mask = own.length == 0 ? 0 : UINT32_MAX << (32 - own.length);
    if (((own.address.host() ^ target.host()) & mask) == 0) return own.address;
  }
  return view.addresses.empty() ? be32{} : view.addresses.front().address;
}

void request(Neighbour& neighbour, uint16_t interface, be32 target, Context& context) {
  if (!neighbour.may_request(context.now_ms)) return;
  Frame frame = context.outside->allocate();
  if (frame.handle == nullptr) return;
  const InterfaceView& view = context.snapshot->interfaces[interface];
  auto* ethernet = header_at<EthernetHeader>(frame.data, 0);
  std::memset(ethernet->destination, 0xff, 6);
  std::memcpy(ethernet->source, view.mac, 6);
  ethernet->type = be16::from_host(kEtherTypeArp);
  auto* arp = header_at<ArpHeader>(frame.data, kEthernetBytes);
  arp->hardware = be16::from_host(kArpEthernet);
  arp->protocol = be16::from_host(kEtherTypeIpv4);
  arp->hardware_length = 6;
  arp->protocol_length = 4;
  arp->opcode = be16::from_host(kArpRequest);
  std::memcpy(arp->sender_mac, view.mac, 6);
  arp->sender_address = sender_address(view, target);
  std::memset(arp->target_mac, 0, 6);
  arp->target_address = target;
  frame.length = kArpFrameBytes;
  frame.interface = interface;
  context.originated.push_back(frame);
  context.counters.add(WorkerCounter::originated, 1);
}

void set_source(uint8_t* frame, const InterfaceView& egress) {
  std::memcpy(header_at<EthernetHeader>(frame, 0)->source, egress.mac, 6);
}

bool queue_is_full(const Context& context, uint16_t interface, be32 next_hop) {
  if (context.held.size() >= kHeldPerWorker) return true;
  const auto waiting =
      std::count_if(context.held.begin(), context.held.end(), [&](const HeldPacket& held) {
        return held.next_hop == next_hop && held.frame.interface == interface;
      });
  return waiting >= kHeldPerNeighbour;
}

void hold(Packet& packet, be32 next_hop, Context& context) {
  const uint16_t interface = packet.out_interface;
  if (queue_is_full(context, interface, next_hop)) {
    return packet.drop(DropReason::neighbour_queue_full);
  }
  Neighbour* neighbour = context.neighbours->find_or_add(interface, next_hop);
  if (neighbour == nullptr) return packet.drop(DropReason::neighbour_table_full);
  context.held.push_back(
      {{packet.handle, packet.data, packet.length, interface}, next_hop, context.now_ms});
  packet.fate = Fate::held;
  request(*neighbour, interface, next_hop, context);
}

void resolve(Packet& packet, Context& context) {
  const NextHop& hop = context.snapshot->next_hops[packet.next_hop];
  auto* ethernet = header_at<EthernetHeader>(packet.data, 0);
  set_source(packet.data, context.snapshot->interfaces[packet.out_interface]);
  if (hop.has_mac) {
    std::memcpy(ethernet->destination, hop.mac, 6);
    packet.fate = Fate::forward;
    return;
  }
  const be32 next_hop = hop.gateway.is_zero()
                            ? header_at<Ipv4Header>(packet.data, kEthernetBytes)->destination
                            : hop.gateway;
  Neighbour* neighbour = context.neighbours->find(packet.out_interface, next_hop);
  if (neighbour == nullptr || !neighbour->usable(context.now_ms)) {
    return hold(packet, next_hop, context);
  }
  neighbour->copy_mac(ethernet->destination);
  packet.fate = Fate::forward;
  if (neighbour->stale(context.now_ms)) {
    request(*neighbour, packet.out_interface, next_hop, context);
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
  if (neighbour != nullptr && neighbour->usable(context.now_ms)) {
    set_source(frame.data, egress);
    neighbour->copy_mac(header_at<EthernetHeader>(frame.data, 0)->destination);
    return Verdict::send;
  }
  if (context.now_ms >= held.since_ms + kHoldMs) return drop(DropReason::neighbour_unresolved);
  if (neighbour != nullptr) request(*neighbour, frame.interface, held.next_hop, context);
  return Verdict::wait;
}

}  // namespace

void run_neighbour(Burst& burst, Context& context) {
  for (uint32_t i = 0; i < burst.count; i++) {
    Packet& packet = burst.packets[i];
    if (packet.fate == Fate::pending) resolve(packet, context);
  }
}

void walk_held(Context& context) {
  Outgoing ready[kMaxBurst];
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
        ready[ready_count++] = {held.frame, Fate::forward};
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

}  // namespace sluice
