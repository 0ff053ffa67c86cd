// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "config/master.h"

namespace sluice {
namespace {

void note_change(const RouteKey& key, uint32_t next_hop, Master& master) {
  auto note = [&](auto& pair, const auto& prefix) {
    if (next_hop == kNoNextHop) {
      pair.remove(prefix, key.length);
    } else {
      pair.put(prefix, key.length, next_hop);
    }
  };
  if (key.prefix.is_ipv4()) {
    note(master.pair4, Ipv4::from(key.prefix));
  } else {
    note(master.pair6, key.prefix);
  }
}

uint32_t& route_count(const RouteKey& key, Master& master) {
  return key.prefix.is_ipv4() ? master.routes4 : master.routes6;
}

void remove_route(const RouteKey& key, Master& master) {
  const auto found = master.routes.find(key);
  if (found == master.routes.end()) return;
  master.free_next_hops.push_back(found->second);
  master.routes.erase(found);
  route_count(key, master)--;
  note_change(key, kNoNextHop, master);
}

// Every route has a next hop of its own, so that a route that only changes its way does not touch
// the route table.
void put_route(const RouteKey& key, const NextHop& hop, Master& master) {
  auto& next_hops = master.snapshot.next_hops;
  const auto existing = master.routes.find(key);
  if (existing != master.routes.end()) {
    next_hops[existing->second] = hop;
    return;
  }
  auto index = static_cast<uint32_t>(next_hops.size());
  if (master.free_next_hops.empty()) {
    next_hops.push_back(hop);
  } else {
    index = master.free_next_hops.back();
    master.free_next_hops.pop_back();
    next_hops[index] = hop;
  }
  master.routes.emplace(key, index);
  route_count(key, master)++;
  note_change(key, index, master);
}

void apply_routes(const ProgramDelta& delta, Master& master) {
  const auto& gone = delta.removedRoutes;
  for (size_t row = 0; row < gone.length.size(); row++) {
    remove_route({address_of(gone.prefix, row), gone.length[row]}, master);
  }
  const auto& table = delta.routes;
  for (size_t row = 0; row < table.length.size(); row++) {
    NextHop hop;
    hop.interface = table.interface[row];
    hop.gateway = address_of(table.gateway, row);
    std::memcpy(hop.mac, &table.mac[6 * row], 6);
    hop.has_mac = std::any_of(hop.mac, hop.mac + 6, [](uint8_t byte) { return byte != 0; });
    put_route({address_of(table.prefix, row), table.length[row]}, hop, master);
  }
}

template <class F>
void collect_own_addresses(const Snapshot& snapshot, FamilyView<F>& view) {
  auto& own = view.own_addresses;
  own = view.node_addresses;
  for (const InterfaceView& interface : snapshot.interfaces) {
    for (const Prefix<F>& entry : interface.addresses<F>()) own.push_back(entry.address);
  }
  std::sort(own.begin(), own.end(), precedes<F>);
  own.erase(std::unique(own.begin(), own.end()), own.end());
  view.own_filter.clear();
  for (const auto& address : own) view.own_filter.add(address);
}

void collect_own_addresses(Snapshot& snapshot) {
  collect_own_addresses(snapshot, snapshot.v4);
  collect_own_addresses(snapshot, snapshot.v6);
}

void apply_addresses(const ProgramDelta& delta, Snapshot& snapshot) {
  if (!delta.addresses_given) return;
  snapshot.v4.node_addresses.clear();
  snapshot.v6.node_addresses.clear();
  for (InterfaceView& view : snapshot.interfaces) {
    view.addresses4.clear();
    view.addresses6.clear();
  }
  const auto& table = delta.addresses;
  for (size_t row = 0; row < table.interface.size(); row++) {
    const uint16_t interface = table.interface[row];
    const Address address = address_of(table.address, row);
    if (interface == kNodeAddress && address.is_ipv4()) {
      snapshot.v4.node_addresses.push_back(Ipv4::from(address));
    } else if (interface == kNodeAddress) {
      snapshot.v6.node_addresses.push_back(address);
    } else if (address.is_ipv4()) {
      snapshot.interfaces[interface].addresses4.push_back({Ipv4::from(address), table.length[row]});
    } else {
      snapshot.interfaces[interface].addresses6.push_back({address, table.length[row]});
    }
  }
  collect_own_addresses(snapshot);
}

void apply_scopes(const ProgramDelta& delta, Snapshot& snapshot) {
  if (!delta.scopes_given) return;
  for (InterfaceView& view : snapshot.interfaces) view.scope = InterfaceScope::outside;
  const auto& table = delta.scopes;
  for (size_t row = 0; row < table.interface.size(); row++) {
    snapshot.interfaces[table.interface[row]].scope = static_cast<InterfaceScope>(table.scope[row]);
  }
}

void apply_networks(const PrefixColumns& table, std::vector<Prefix<Ipv4>>& networks4,
                    std::vector<Prefix<Ipv6>>& networks6) {
  networks4.clear();
  networks6.clear();
  for (size_t row = 0; row < table.length.size(); row++) {
    const Address prefix = address_of(table.prefix, row);
    if (prefix.is_ipv4()) {
      networks4.push_back({Ipv4::from(prefix), table.length[row]});
    } else {
      networks6.push_back({prefix, table.length[row]});
    }
  }
}

}  // namespace

void apply_network(const ProgramDelta& delta, Master& master) {
  Snapshot& snapshot = master.snapshot;
  apply_routes(delta, master);
  apply_addresses(delta, snapshot);
  apply_scopes(delta, snapshot);
  if (delta.pod_networks_given) {
    apply_networks(delta.podNetworks, snapshot.v4.pod_networks, snapshot.v6.pod_networks);
  }
  if (delta.service_networks_given) {
    apply_networks(delta.serviceNetworks, snapshot.v4.service_networks,
                   snapshot.v6.service_networks);
  }
}

void collect_tunnels(Snapshot& snapshot) {
  std::vector<std::shared_ptr<const Tunnel>> tunnels;
  for (const InterfaceView& view : snapshot.interfaces) {
    if (view.tunnel != nullptr) tunnels.push_back(view.tunnel);
  }
  snapshot.tunnels = tunnels.empty() ? nullptr : std::make_shared<TunnelTable>(std::move(tunnels));
}

void clear_interface(uint16_t slot, Master& master) {
  Snapshot& snapshot = master.snapshot;
  snapshot.interfaces[slot] = {};
  collect_own_addresses(snapshot);
  collect_tunnels(snapshot);
  std::vector<RouteKey> over_it;
  for (const auto& [key, next_hop] : master.routes) {
    if (snapshot.next_hops[next_hop].interface == slot) over_it.push_back(key);
  }
  for (const RouteKey& key : over_it) remove_route(key, master);
}

}  // namespace sluice
