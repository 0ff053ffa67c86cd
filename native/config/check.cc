// SPDX-License-Identifier: Apache-2.0
// Tables are looked at in the order frontends, pools, backends, removedPools, routes,
// removedRoutes, addresses; within one, row counts first, then row by row in the order of the
// columns. Names are judged by what will be there once the delta is applied; removing what is not
// there is no fault.
#include <string>
#include <unordered_set>

#include "config/master.h"
#include "packet/headers.h"

namespace sluice {
namespace {

Status program_error(const char* column, size_t row, std::string message) {
  return Error{"ERR_PROGRAM", std::move(message),
               std::string(column) + "[" + std::to_string(row) + "]"};
}

Status capacity_error(const char* column, size_t row, std::string message) {
  return Error{"ERR_CAPACITY", std::move(message),
               std::string(column) + "[" + std::to_string(row) + "]"};
}

Status check_rows(const char* column, size_t length, size_t rows, size_t width = 1) {
  if (length == rows * width) return {};
  return Error{"ERR_PROGRAM",
               "has " + std::to_string(length) + " elements where " + std::to_string(rows * width) +
                   " belong to " + std::to_string(rows) + " rows",
               column};
}

bool is_ipv4_mapped(const std::vector<uint8_t>& column, size_t row) {
  static constexpr uint8_t kMapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  return std::memcmp(&column[16 * row], kMapped, sizeof(kMapped)) == 0;
}

bool is_zero(const std::vector<uint8_t>& column, size_t row) {
  static constexpr uint8_t kZero[16] = {};
  return std::memcmp(&column[16 * row], kZero, sizeof(kZero)) == 0;
}

bool has_host_bits(be32 prefix, uint8_t length) {
  return length < 32 && (prefix.host() & (UINT32_MAX >> length)) != 0;
}

constexpr const char* kNotMapped = "is not an IPv4-mapped address";

class Check {
 public:
  Check(const ProgramDelta& delta, const Master& master)
      : delta_(delta),
        master_(master),
        gone_frontends_(delta.removedFrontends.begin(), delta.removedFrontends.end()),
        put_pools_(delta.pools.slot.begin(), delta.pools.slot.end()),
        gone_pools_(delta.removedPools.begin(), delta.removedPools.end()) {
    gone_frontends_.insert(delta.frontends.slot.begin(), delta.frontends.slot.end());
  }

  Status run() const {
    if (auto error = frontends()) return error;
    if (auto error = pools()) return error;
    if (auto error = backends()) return error;
    if (auto error = removed_pools()) return error;
    if (auto error = routes()) return error;
    if (auto error = removed_routes()) return error;
    if (auto error = route_capacity()) return error;
    return delta_.addresses_given ? addresses() : Status{};
  }

 private:
  using Set = std::unordered_set<uint32_t>;

  Status frontends() const {
    const auto& table = delta_.frontends;
    const size_t rows = table.slot.size();
    if (auto error = check_rows("frontends.address", table.address.size(), rows, 16)) return error;
    if (auto error = check_rows("frontends.port", table.port.size(), rows)) return error;
    if (auto error = check_rows("frontends.protocol", table.protocol.size(), rows)) return error;
    if (auto error = check_rows("frontends.pool", table.pool.size(), rows)) return error;
    Set slots;
    std::unordered_set<uint64_t> keys;
    for (size_t row = 0; row < rows; row++) {
      const uint32_t slot = table.slot[row], pool = table.pool[row];
      const uint8_t protocol = table.protocol[row];
      if (slot >= kMaxSlots) return capacity_error("frontends.slot", row, "is beyond the limit");
      if (!slots.insert(slot).second) return program_error("frontends.slot", row, "is given twice");
      if (!is_ipv4_mapped(table.address, row)) {
        return program_error("frontends.address", row, kNotMapped);
      }
      if (protocol != kProtocolTcp && protocol != kProtocolUdp) {
        return program_error("frontends.protocol", row, "is neither 6 (TCP) nor 17 (UDP)");
      }
      if (!put_pools_.contains(pool) && (!master_.has_pool(pool) || gone_pools_.contains(pool))) {
        return program_error("frontends.pool", row, "names no pool");
      }
      const uint64_t key =
          frontend_key(address_of(table.address, row), be16::from_host(table.port[row]), protocol);
      const auto other = master_.frontend_slots.find(key);
      const bool taken =
          other != master_.frontend_slots.end() && !gone_frontends_.contains(other->second);
      if (taken || !keys.insert(key).second) {
        return program_error("frontends.address", row,
                             "another frontend has this address, port and protocol");
      }
    }
    return {};
  }

  Status pools() const {
    const auto& table = delta_.pools;
    const size_t rows = table.slot.size();
    if (auto error = check_rows("pools.first", table.first.size(), rows)) return error;
    if (auto error = check_rows("pools.count", table.count.size(), rows)) return error;
    const size_t backends = delta_.backends.slot.size();
    std::vector<bool> owned(backends);
    Set slots;
    for (size_t row = 0; row < rows; row++) {
      if (table.slot[row] >= kMaxSlots) {
        return capacity_error("pools.slot", row, "is beyond the limit");
      }
      if (!slots.insert(table.slot[row]).second) {
        return program_error("pools.slot", row, "is given twice");
      }
      const uint64_t first = table.first[row], count = table.count[row];
      if (count > 0 && first >= backends) {
        return program_error("pools.first", row, "is beyond the rows of backends");
      }
      if (count > 0 && first + count > backends) {
        return program_error("pools.count", row, "reaches beyond the rows of backends");
      }
      for (uint64_t at = first; at < first + count; at++) {
        if (owned[at]) return program_error("pools.first", row, "overlaps with another pool");
        owned[at] = true;
      }
    }
    return {};
  }

  Status backends() const {
    const auto& table = delta_.backends;
    const size_t rows = table.slot.size();
    if (auto error = check_rows("backends.address", table.address.size(), rows, 16)) return error;
    if (auto error = check_rows("backends.port", table.port.size(), rows)) return error;
    if (auto error = check_rows("backends.weight", table.weight.size(), rows)) return error;
    Set slots;
    for (size_t row = 0; row < rows; row++) {
      const uint32_t slot = table.slot[row];
      if (slot >= master_.limits.backends) {
        return capacity_error("backends.slot", row, "is beyond the limit");
      }
      if (!slots.insert(slot).second) return program_error("backends.slot", row, "is given twice");
      const BackendRecord* record =
          slot < master_.snapshot.backends.size() ? &master_.snapshot.backends[slot] : nullptr;
      if (record != nullptr && record->present && !put_pools_.contains(record->pool) &&
          !gone_pools_.contains(record->pool)) {
        return program_error("backends.slot", row, "belongs to a backend of another pool");
      }
      if (!is_ipv4_mapped(table.address, row)) {
        return program_error("backends.address", row, kNotMapped);
      }
    }
    return {};
  }

  Status removed_pools() const {
    // Frontends that are to go, or to be put anew, name their old pool no longer.
    std::unordered_map<uint32_t, uint32_t> released;
    for (uint32_t slot : gone_frontends_) {
      const auto frontend = master_.frontends.find(slot);
      if (frontend != master_.frontends.end()) released[frontend->second.pool]++;
    }
    for (size_t row = 0; row < delta_.removedPools.size(); row++) {
      const uint32_t slot = delta_.removedPools[row];
      if (put_pools_.contains(slot)) continue;
      const auto references = master_.pool_references.find(slot);
      if (references != master_.pool_references.end() && references->second > released[slot]) {
        return program_error("removedPools", row, "is a pool that a frontend still names");
      }
    }
    return {};
  }

  Status routes() const {
    const auto& table = delta_.routes;
    const size_t rows = table.length.size();
    if (auto error = check_rows("routes.prefix", table.prefix.size(), rows, 16)) return error;
    if (auto error = check_rows("routes.interface", table.interface.size(), rows)) return error;
    if (auto error = check_rows("routes.gateway", table.gateway.size(), rows, 16)) return error;
    if (auto error = check_rows("routes.mac", table.mac.size(), rows, 6)) return error;
    std::unordered_set<uint64_t> keys;
    for (size_t row = 0; row < rows; row++) {
      if (auto error = prefix("routes", table.prefix, table.length, row)) return error;
      if (!keys.insert(route_key(address_of(table.prefix, row), table.length[row])).second) {
        return program_error("routes.prefix", row, "is given twice");
      }
      if (!master_.has_interface(table.interface[row])) {
        return program_error("routes.interface", row, "names no interface");
      }
      if (!is_zero(table.gateway, row) && !is_ipv4_mapped(table.gateway, row)) {
        return program_error("routes.gateway", row, kNotMapped);
      }
    }
    return {};
  }

  Status removed_routes() const {
    const auto& table = delta_.removedRoutes;
    const size_t rows = table.length.size();
    if (auto error = check_rows("removedRoutes.prefix", table.prefix.size(), rows, 16)) {
      return error;
    }
    for (size_t row = 0; row < rows; row++) {
      if (auto error = prefix("removedRoutes", table.prefix, table.length, row)) return error;
    }
    return {};
  }

  // Both tables are known to be right.
  Status route_capacity() const {
    std::unordered_set<uint64_t> gone;
    for (size_t row = 0; row < delta_.removedRoutes.length.size(); row++) {
      const uint64_t key =
          route_key(address_of(delta_.removedRoutes.prefix, row), delta_.removedRoutes.length[row]);
      if (master_.routes.contains(key)) gone.insert(key);
    }
    size_t count = master_.routes.size() - gone.size();
    for (size_t row = 0; row < delta_.routes.length.size(); row++) {
      const uint64_t key =
          route_key(address_of(delta_.routes.prefix, row), delta_.routes.length[row]);
      if (master_.routes.contains(key) && !gone.contains(key)) continue;
      if (++count > master_.limits.routes) {
        return capacity_error("routes.prefix", row, "is one route more than there is room for");
      }
    }
    return {};
  }

  Status addresses() const {
    const auto& table = delta_.addresses;
    const size_t rows = table.interface.size();
    if (auto error = check_rows("addresses.address", table.address.size(), rows, 16)) return error;
    if (auto error = check_rows("addresses.length", table.length.size(), rows)) return error;
    for (size_t row = 0; row < rows; row++) {
      if (!master_.has_interface(table.interface[row])) {
        return program_error("addresses.interface", row, "names no interface");
      }
      if (!is_ipv4_mapped(table.address, row)) {
        return program_error("addresses.address", row, kNotMapped);
      }
      if (table.length[row] > 32) return program_error("addresses.length", row, "is above 32");
    }
    return {};
  }

  static Status prefix(const std::string& table, const std::vector<uint8_t>& prefixes,
                       const std::vector<uint8_t>& lengths, size_t row) {
    const std::string column = table + ".prefix";
    if (!is_ipv4_mapped(prefixes, row)) return program_error(column.c_str(), row, kNotMapped);
    if (lengths[row] > 32) {
      return program_error((table + ".length").c_str(), row, "is above 32");
    }
    if (has_host_bits(address_of(prefixes, row), lengths[row])) {
      return program_error(column.c_str(), row, "has host bits set");
    }
    return {};
  }

  const ProgramDelta& delta_;
  const Master& master_;
  Set gone_frontends_;  // removed, or put anew
  Set put_pools_;
  Set gone_pools_;
};

}  // namespace

Status check_delta(const ProgramDelta& delta, const Master& master) {
  return Check(delta, master).run();
}

}  // namespace sluice
