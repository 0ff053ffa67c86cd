// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "config/master.h"

namespace sluice {
namespace {

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
  const std::span<InterfaceView> interfaces = snapshot.interfaces.edit();
  for (InterfaceView& view : interfaces) {
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
      interfaces[interface].addresses4.push_back({Ipv4::from(address), table.length[row]});
    } else {
      interfaces[interface].addresses6.push_back({address, table.length[row]});
    }
  }
  collect_own_addresses(snapshot);
}

// The first interface that leads to this node's kernel.
void find_host(Snapshot& snapshot) {
  const auto& all = snapshot.interfaces;
  const auto host = std::find_if(all.begin(), all.end(), [](const InterfaceView& view) {
    return view.scope == InterfaceScope::host;
  });
  snapshot.has_host = host != all.end();
  snapshot.next_hops.edit(kHostNextHop).interface =
      snapshot.has_host ? static_cast<uint16_t>(host - all.begin()) : uint16_t{0};
}

void apply_scopes(const ProgramDelta& delta, Snapshot& snapshot) {
  if (!delta.scopes_given) return;
  const std::span<InterfaceView> interfaces = snapshot.interfaces.edit();
  for (InterfaceView& view : interfaces) view.scope = InterfaceScope::outside;
  const auto& table = delta.scopes;
  for (size_t row = 0; row < table.interface.size(); row++) {
    interfaces[table.interface[row]].scope = static_cast<InterfaceScope>(table.scope[row]);
  }
  find_host(snapshot);
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
  snapshot.interfaces.edit(slot) = {};
  find_host(snapshot);
  collect_own_addresses(snapshot);
  collect_tunnels(snapshot);
  clear_routes_over(slot, master);
}

}  // namespace sluice
