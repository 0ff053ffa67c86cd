// SPDX-License-Identifier: Apache-2.0
// Rules 14 to 16 of docs/program.md: addresses, scopes and networks.
#include <unordered_set>

#include "config/check_rows.h"

namespace sluice {
namespace {

constexpr uint8_t kMaxScope = 2;

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
