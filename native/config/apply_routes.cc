// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "config/master.h"

namespace sluice {
namespace {

void note_change(const RouteKey& key, uint32_t group, Master& master) {
  auto note = [&](auto& pair, const auto& prefix) {
    if (group == kNoRoute) {
      pair.remove(prefix, key.length);
    } else {
      pair.put(prefix, key.length, group);
    }
  };
  if (key.prefix.is_ipv4()) {
    note(master.routes4, Ipv4::from(key.prefix));
  } else {
    note(master.routes6, key.prefix);
  }
}

void release_group(const RouteKey& key, uint32_t group, Master& master) {
  Counts& references = master.group_references(key.prefix.is_ipv4());
  const auto count = references.find(group);
  if (--count->second == 0) references.erase(count);
}

void remove_route(const RouteKey& key, Master& master) {
  const auto found = master.routes.find(key);
  if (found == master.routes.end()) return;
  release_group(key, found->second, master);
  master.routes.erase(found);
  master.route_counts.remove(key);
  note_change(key, kNoRoute, master);
}

// A route that stays with its group does not touch the route table, whatever the group becomes.
void put_route(const RouteKey& key, uint32_t group, Master& master) {
  const auto [route, is_new] = master.routes.emplace(key, group);
  if (is_new) {
    master.route_counts.add(key);
  } else {
    if (route->second == group) return;
    release_group(key, route->second, master);
    route->second = group;
  }
  master.group_references(key.prefix.is_ipv4())[group]++;
  note_change(key, group, master);
}

void remove_group(uint32_t slot, Master& master) {
  if (!master.has_group(slot)) return;
  NextHopGroup& group = master.snapshot.groups.edit(slot);
  // The last one that was given is the first one to be given again: rows keep their places.
  master.free_next_hops.insert(master.free_next_hops.end(), group.hops.rbegin(), group.hops.rend());
  group = {};
}

uint32_t add_next_hop(const NextHop& hop, Master& master) {
  auto& next_hops = master.snapshot.next_hops;
  if (master.free_next_hops.empty()) {
    next_hops.push_back(hop);
    return static_cast<uint32_t>(next_hops.size() - 1);
  }
  const uint32_t index = master.free_next_hops.back();
  master.free_next_hops.pop_back();
  next_hops.edit(index) = hop;
  return index;
}

void make_choice(NextHopGroup& group, const Snapshot& snapshot) {
  group.choice = nullptr;
  group.only = group.hops.size() == 1 ? group.hops.front() : kNoNextHop;
  if (group.hops.size() < 2) return;
  std::vector<EcmpMember> members;
  for (const uint32_t index : group.hops) {
    members.push_back({snapshot.next_hops[index].key, snapshot.next_hops[index].weight});
  }
  group.choice = std::make_shared<EcmpTable>(members);
}

NextHop next_hop_of(const ProgramDelta& delta, size_t row) {
  const auto& table = delta.nextHops;
  NextHop hop;
  hop.interface = table.interface[row];
  hop.gateway = address_of(table.gateway, row);
  std::memcpy(hop.mac, &table.mac[6 * row], 6);
  hop.has_mac = std::any_of(hop.mac, hop.mac + 6, [](uint8_t byte) { return byte != 0; });
  hop.key = table.key[row];
  hop.weight = table.weight[row];
  return hop;
}

void put_group(const ProgramDelta& delta, size_t row, Master& master) {
  const uint32_t slot = delta.groups.slot[row];
  remove_group(slot, master);
  auto& groups = master.snapshot.groups;
  if (slot >= groups.size()) groups.resize(slot + 1);
  NextHopGroup& group = groups.edit(slot);
  const size_t first = delta.groups.first[row], count = delta.groups.count[row];
  for (size_t at = first; at < first + count; at++) {
    group.hops.push_back(add_next_hop(next_hop_of(delta, at), master));
  }
  make_choice(group, master.snapshot);
}

}  // namespace

void apply_routes(const ProgramDelta& delta, Master& master) {
  const auto& gone = delta.removedRoutes;
  for (size_t row = 0; row < gone.length.size(); row++) {
    remove_route({address_of(gone.prefix, row), gone.length[row]}, master);
  }
  for (const uint32_t slot : delta.removedGroups) remove_group(slot, master);
  for (size_t row = 0; row < delta.groups.slot.size(); row++) put_group(delta, row, master);
  const auto& table = delta.routes;
  for (size_t row = 0; row < table.length.size(); row++) {
    put_route({address_of(table.prefix, row), table.length[row]}, table.group[row], master);
  }
}

void clear_routes_over(uint16_t interface, Master& master) {
  Snapshot& snapshot = master.snapshot;
  for (NextHopGroup& group : snapshot.groups.edit()) {
    const size_t gone = std::erase_if(group.hops, [&](uint32_t index) {
      if (snapshot.next_hops[index].interface != interface) return false;
      master.free_next_hops.push_back(index);
      return true;
    });
    if (gone > 0) make_choice(group, snapshot);
  }
  std::vector<RouteKey> without_way;
  for (const auto& [key, group] : master.routes) {
    if (!master.has_group(group)) without_way.push_back(key);
  }
  for (const RouteKey& key : without_way) remove_route(key, master);
}

}  // namespace sluice
