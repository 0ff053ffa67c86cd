// SPDX-License-Identifier: Apache-2.0
#include "stage/hold.h"

#include <algorithm>
#include <cstring>

#include "packet/headers.h"
#include "stage/solicit.h"

namespace sluice {
namespace {

bool queue_is_full(const Context& context, uint16_t interface, const Address& next_hop) {
  if (context.held.size() >= context.limits->held_packets) return true;
  const auto waiting =
      std::count_if(context.held.begin(), context.held.end(), [&](const HeldPacket& held) {
        return held.next_hop == next_hop && held.frame.interface == interface;
      });
  return waiting >= context.limits->held_per_neighbour;
}

}  // namespace

Station station_of(const NextHop& hop, const Address& destination, const Context& context) {
  Station station{hop.gateway.is_zero() ? destination : hop.gateway, nullptr, nullptr};
  if (hop.has_mac) {
    station.mac = hop.mac;
  } else {
    station.neighbour = context.neighbours->find(hop.interface, station.address);
  }
  return station;
}

StationMac reach(uint8_t* frame, const Station& station, uint16_t interface, Context& context) {
  auto* ethernet = header_at<EthernetHeader>(frame, 0);
  std::memcpy(ethernet->source, context.snapshot->interfaces[interface].mac, 6);
  if (station.mac != nullptr) {
    std::memcpy(ethernet->destination, station.mac, 6);
    return StationMac::fresh;
  }
  Neighbour* neighbour = station.neighbour;
  if (neighbour == nullptr || !neighbour->usable(context.now_ms, context.neighbour_ages)) {
    return StationMac::unknown;
  }
  neighbour->copy_mac(ethernet->destination);
  if (!neighbour->stale(context.now_ms, context.neighbour_ages)) return StationMac::fresh;
  solicit(*neighbour, interface, station.address, context);
  return StationMac::stale;
}

std::optional<DropReason> judge_hold(uint16_t interface, const Station& station,
                                     const Context& context) {
  if (queue_is_full(context, interface, station.address)) return DropReason::neighbour_queue_full;
  const bool table_full = context.neighbours->used() >= context.limits->neighbours;
  if (station.neighbour == nullptr && table_full) return DropReason::neighbour_table_full;
  return {};
}

std::optional<DropReason> hold_frame(const Frame& frame, const Station& station, Context& context) {
  if (const auto no_room = judge_hold(frame.interface, station, context)) return no_room;
  Neighbour* neighbour = context.neighbours->find_or_add(frame.interface, station.address);
  // Another worker may have taken the last place.
  if (neighbour == nullptr) return DropReason::neighbour_table_full;
  context.held.push_back({frame, station.address, context.now_ms});
  context.held_own += frame.fate == Fate::pending;
  solicit(*neighbour, frame.interface, station.address, context);
  return {};
}

}  // namespace sluice
