// SPDX-License-Identifier: Apache-2.0
#include "stage/own_frames.h"

#include <cstring>

#include "base/mix.h"
#include "packet/ip.h"
#include "stage/hold.h"

namespace sluice {
namespace {

template <class F>
OwnRoute route_own(const uint8_t* frame, uint32_t length, OwnFrame what, uint32_t entropy,
                   const Snapshot& snapshot) {
  const uint32_t found = snapshot.find_way<F>(ip_header<F>(frame)->destination, entropy).next_hop;
  if (found == kNoNextHop) return {DropReason::no_route, found};
  const InterfaceView& egress = snapshot.interfaces[snapshot.next_hops[found].interface];
  if (what == OwnFrame::carrier && egress.tunnel != nullptr) {
    return {DropReason::tunnel_loop, found};
  }
  if (!egress.present || !egress.up->load(std::memory_order_relaxed)) {
    return {DropReason::interface_down, found};
  }
  if (length - kEthernetBytes > egress.mtu) return {DropReason::mtu_exceeded, found};
  return {{}, found};
}

bool carries_ipv4(const uint8_t* frame) {
  return header_at<EthernetHeader>(frame, 0)->type.host() == kEtherTypeIpv4;
}

Address destination_of(const uint8_t* frame) {
  return carries_ipv4(frame) ? Ipv4::general(ip_header<Ipv4>(frame)->destination)
                             : ip_header<Ipv6>(frame)->destination;
}

}  // namespace

OwnRoute route_own(const uint8_t* frame, uint32_t length, OwnFrame what, uint32_t entropy,
                   const Snapshot& snapshot) {
  return carries_ipv4(frame) ? route_own<Ipv4>(frame, length, what, entropy, snapshot)
                             : route_own<Ipv6>(frame, length, what, entropy, snapshot);
}

OwnWay find_own_way(Frame& frame, OwnFrame what, Context& context) {
  using Verdict = OwnWay::Verdict;
  const Snapshot& snapshot = *context.snapshot;
  const OwnRoute route = route_own(frame.data, frame.length, what, mix(frame.hash), snapshot);
  if (route.refused) return {Verdict::refused, *route.refused};
  const NextHop& hop = snapshot.next_hops[route.next_hop];
  frame.interface = hop.interface;
  const Station station = station_of(hop, destination_of(frame.data), context);
  const StationMac known = reach(frame.data, station, frame.interface, context);
  if (known != StationMac::unknown) return {Verdict::send, {}};
  const std::optional<DropReason> no_room = hold_frame(frame, station, context);
  return no_room ? OwnWay{Verdict::refused, *no_room} : OwnWay{Verdict::held, {}};
}

void route_answer(Packet& packet, Context& context) {
  if (!context.snapshot->interfaces[packet.in_interface].is_layer3()) return;
  Frame frame{packet.handle, packet.data, packet.length, kNoInterface, Fate::answer, packet.hash};
  const OwnWay way = find_own_way(frame, OwnFrame::answer, context);
  switch (way.verdict) {
    case OwnWay::Verdict::send:
      packet.out_interface = frame.interface;
      return;
    case OwnWay::Verdict::held:
      packet.fate = Fate::held;
      return;
    case OwnWay::Verdict::refused:
      return packet.drop(way.reason);
  }
}

void originate_answer(Frame& frame, const Packet& packet, Context& context) {
  context.counters.add(WorkerCounter::originated, 1);
  frame.interface = packet.in_interface;
  if (context.snapshot->interfaces[packet.in_interface].is_layer3()) {
    const OwnWay way = find_own_way(frame, OwnFrame::answer, context);
    if (way.verdict == OwnWay::Verdict::refused) context.outside->free(frame.handle);
    if (way.verdict != OwnWay::Verdict::send) return;
  }
  context.originated.push_back(frame);
}

}  // namespace sluice
