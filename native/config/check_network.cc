// SPDX-License-Identifier: Apache-2.0
// Rules 8 to 16 of docs/program.md: routes, addresses, scopes and networks.
#include <unordered_set>

#include "config/check_rows.h"

namespace sluice {
namespace {

using RouteKeys = std::unordered_set<RouteKey, HashOfBytes>;

constexpr uint8_t kMaxScope = 2;

Status check_routes(const ProgramDelta& delta, const Master& master) {
  const auto& table = delta.routes;
  const size_t rows = table.length.size();
  const auto& hops = delta.nextHops;
  const auto& groups = delta.groups;
  if (auto error = check_sizes(groups.slot.size(), {{"groups.first", groups.first.size()},
                                                    {"groups.count", groups.count.size()}})) {
    return error;
  }
  if (auto error =
          check_sizes(hops.interface.size(), {{"nextHops.gateway", hops.gateway.size(), 16},
                                              {"nextHops.mac", hops.mac.size(), 6},
                                              {"nextHops.key", hops.key.size()},
                                              {"nextHops.weight", hops.weight.size()}})) {
    return error;
  }
  if (auto error = check_sizes(rows, {{"routes.prefix", table.prefix.size(), 16},
                                      {"routes.group", table.group.size()}})) {
    return error;
  }
  std::unordered_map<uint32_t, NextHop> put;
  for (size_t row = 0; row < groups.slot.size(); row++) {
    const size_t first = groups.first[row];
    if (groups.count[row] == 0 || first >= hops.interface.size()) {
      return program_error("groups.first", row, "is beyond the rows of nextHops");
    }
    if (!master.has_interface(hops.interface[first])) {
      return program_error("nextHops.interface", first, kUnknownInterface);
    }
    put[groups.slot[row]] = {.gateway = address_of(hops.gateway, first)};
  }
  RouteKeys keys;
  for (size_t row = 0; row < rows; row++) {
    const Address prefix = address_of(table.prefix, row);
    const uint8_t length = table.length[row];
    if (auto error = check_prefix("routes.prefix", "routes.length", prefix, length, row)) {
      return error;
    }
    if (!keys.insert({prefix, length}).second) return program_error("routes.prefix", row, kTwice);
    const auto own = put.find(table.group[row]);
    const auto known = master.groups.find(table.group[row]);
    if (own == put.end() && known == master.groups.end()) {
      return program_error("routes.group", row, "names no group");
    }
    const Address gateway = own != put.end() ? own->second.gateway : known->second.gateway;
    if (!gateway.is_zero() && gateway.is_ipv4() != prefix.is_ipv4()) {
      return program_error("routes.group", row, "is of the other family");
    }
  }
  return {};
}

// Both tables of routes are known to be right.
Status check_route_capacity(const ProgramDelta& delta, const Master& master) {
  const auto& removed = delta.removedRoutes;
  uint32_t count4 = master.routes4, count6 = master.routes6;
  auto count_of = [&](const RouteKey& key) -> uint32_t& {
    return key.prefix.is_ipv4() ? count4 : count6;
  };
  RouteKeys gone;
  for (size_t row = 0; row < removed.length.size(); row++) {
    const RouteKey key{address_of(removed.prefix, row), removed.length[row]};
    if (master.routes.contains(key) && gone.insert(key).second) count_of(key)--;
  }
  for (size_t row = 0; row < delta.routes.length.size(); row++) {
    const RouteKey key{address_of(delta.routes.prefix, row), delta.routes.length[row]};
    if (master.routes.contains(key) && !gone.contains(key)) continue;
    if (++count_of(key) > master.limits.routes) {
      return capacity_error("routes.prefix", row, "is one route more than there is room for");
    }
  }
  return {};
}

Status check_addresses(const ProgramDelta& delta, const Master& master) {
  const auto& table = delta.addresses;
  const size_t rows = table.interface.size();
  if (auto error = check_sizes(rows, {{"addresses.address", table.address.size(), 16},
                                      {"addresses.length", table.length.size()}})) {
    return error;
  }
  for (size_t row = 0; row < rows; row++) {
    const uint16_t interface = table.interface[row];
    const Address address = address_of(table.address, row);
    if (interface != kNodeAddress && !master.has_interface(interface)) {
      return program_error("addresses.interface", row, kUnknownInterface);
    }
    if (!is_address(address)) return program_error("addresses.address", row, kNoAddress);
    if (!is_length(address, table.length[row])) {
      return program_error("addresses.length", row, "is more than the family has bits");
    }
  }
  return {};
}

Status check_scopes(const ProgramDelta& delta, const Master& master) {
  const auto& table = delta.scopes;
  const size_t rows = table.interface.size();
  if (auto error = check_sizes(rows, {{"scopes.scope", table.scope.size()}})) return error;
  std::unordered_set<uint16_t> given;
  for (size_t row = 0; row < rows; row++) {
    const uint16_t interface = table.interface[row];
    if (!master.has_interface(interface)) {
      return program_error("scopes.interface", row, kUnknownInterface);
    }
    if (!given.insert(interface).second) return program_error("scopes.interface", row, kTwice);
    if (table.scope[row] > kMaxScope) return program_error("scopes.scope", row, "is no scope");
  }
  return {};
}

}  // namespace

Status check_network(const ProgramDelta& delta, const Master& master) {
  if (auto error = check_routes(delta, master)) return error;
  if (auto error =
          check_prefixes("removedRoutes.prefix", "removedRoutes.length", delta.removedRoutes)) {
    return error;
  }
  if (auto error = check_route_capacity(delta, master)) return error;
  if (delta.addresses_given) {
    if (auto error = check_addresses(delta, master)) return error;
  }
  if (delta.scopes_given) {
    if (auto error = check_scopes(delta, master)) return error;
  }
  if (delta.pod_networks_given) {
    if (auto error =
            check_prefixes("podNetworks.prefix", "podNetworks.length", delta.podNetworks)) {
      return error;
    }
  }
  if (!delta.service_networks_given) return {};
  return check_prefixes("serviceNetworks.prefix", "serviceNetworks.length", delta.serviceNetworks);
}

}  // namespace sluice
