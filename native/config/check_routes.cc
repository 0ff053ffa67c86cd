// SPDX-License-Identifier: Apache-2.0
// Rules 8 to 13 of docs/program.md: groups, next hops and routes.
#include <optional>
#include <unordered_set>

#include "config/check_rows.h"

namespace sluice {
namespace {

using RouteKeys = std::unordered_set<RouteKey, HashOfBytes>;

// Of the gateways of a group; nothing: all of them are zero.
using GroupFamily = std::optional<bool>;  // whether it is IPv4

bool admits(GroupFamily family, bool ipv4) { return !family || *family == ipv4; }

class Check {
 public:
  Check(const ProgramDelta& delta, const Master& master)
      : delta_(delta),
        master_(master),
        gone_groups_(delta.removedGroups.begin(), delta.removedGroups.end()) {}

  Status run() {
    if (auto error = groups()) return error;
    if (auto error = next_hops()) return error;
    if (auto error = routes()) return error;
    if (auto error =
            check_prefixes("removedRoutes.prefix", "removedRoutes.length", delta_.removedRoutes)) {
      return error;
    }
    if (auto error = removed_groups()) return error;
    return capacity();
  }

 private:
  static constexpr size_t kUnowned = SIZE_MAX;

  Status groups() {
    const auto& table = delta_.groups;
    const size_t rows = table.slot.size();
    if (auto error = check_sizes(
            rows, {{"groups.first", table.first.size()}, {"groups.count", table.count.size()}})) {
      return error;
    }
    const size_t hops = delta_.nextHops.interface.size();
    owners_.assign(hops, kUnowned);
    for (size_t row = 0; row < rows; row++) {
      if (table.slot[row] >= kMaxSlots) return capacity_error("groups.slot", row, kBeyond);
      if (!put_groups_.emplace(table.slot[row], row).second) {
        return program_error("groups.slot", row, kTwice);
      }
      const uint64_t first = table.first[row], count = table.count[row];
      if (count == 0 || count > kMaxGroup) {
        return program_error("groups.count", row, "is not from 1 to 64");
      }
      if (first >= hops) {
        return program_error("groups.first", row, "is beyond the rows of nextHops");
      }
      if (first + count > hops) {
        return program_error("groups.count", row, "reaches beyond the rows of nextHops");
      }
      for (uint64_t at = first; at < first + count; at++) {
        if (owners_[at] != kUnowned) {
          return program_error("groups.first", row, "overlaps with another group");
        }
        owners_[at] = row;
      }
    }
    families_.resize(rows);
    return {};
  }

  Status next_hops() {
    const auto& table = delta_.nextHops;
    const size_t rows = table.interface.size();
    if (auto error = check_sizes(rows, {{"nextHops.gateway", table.gateway.size(), 16},
                                        {"nextHops.mac", table.mac.size(), 6},
                                        {"nextHops.key", table.key.size()},
                                        {"nextHops.weight", table.weight.size()}})) {
      return error;
    }
    for (size_t row = 0; row < rows; row++) {
      if (!master_.has_interface(table.interface[row])) {
        return program_error("nextHops.interface", row, kUnknownInterface);
      }
      const Address gateway = address_of(table.gateway, row);
      if (owners_[row] != kUnowned && !gateway.is_zero()) {
        GroupFamily& family = families_[owners_[row]];
        if (!admits(family, gateway.is_ipv4())) {
          return program_error("nextHops.gateway", row, "is of another family than its group's");
        }
        family = gateway.is_ipv4();
      }
      if (table.weight[row] == 0) return program_error("nextHops.weight", row, "is 0");
    }
    return {};
  }

  Status routes() {
    const auto& table = delta_.routes;
    const size_t rows = table.length.size();
    if (auto error = check_sizes(rows, {{"routes.prefix", table.prefix.size(), 16},
                                        {"routes.group", table.group.size()}})) {
      return error;
    }
    RouteKeys keys;
    for (size_t row = 0; row < rows; row++) {
      const Address prefix = address_of(table.prefix, row);
      const uint8_t length = table.length[row];
      if (auto error = check_prefix("routes.prefix", "routes.length", prefix, length, row)) {
        return error;
      }
      if (!keys.insert({prefix, length}).second) return program_error("routes.prefix", row, kTwice);
      const uint32_t group = table.group[row];
      if (!will_be_group(group)) return program_error("routes.group", row, "names no group");
      if (!admits(family_of(group), prefix.is_ipv4())) {
        return program_error("routes.group", row, "has gateways of the other family");
      }
    }
    return {};
  }

  bool will_be_group(uint32_t slot) const {
    return put_groups_.contains(slot) || (master_.has_group(slot) && !gone_groups_.contains(slot));
  }

  // Precondition: will_be_group.
  GroupFamily family_of(uint32_t slot) const {
    const auto put = put_groups_.find(slot);
    if (put != put_groups_.end()) return families_[put->second];
    for (const uint32_t index : master_.snapshot.groups[slot].hops) {
      const Address& gateway = master_.snapshot.next_hops[index].gateway;
      if (!gateway.is_zero()) return gateway.is_ipv4();
    }
    return {};
  }

  // Both tables of routes are known to be right.
  Status removed_groups() {
    if (delta_.removedGroups.empty() && delta_.groups.slot.empty()) return {};
    const auto release = [&](const Address& prefix, uint8_t length) {
      const RouteKey key{prefix, length};
      const auto route = master_.routes.find(key);
      if (route == master_.routes.end() || !released_.insert(key).second) return;
      (prefix.is_ipv4() ? released4_ : released6_)[route->second]++;
    };
    const auto& gone = delta_.removedRoutes;
    for (size_t row = 0; row < gone.length.size(); row++) {
      release(address_of(gone.prefix, row), gone.length[row]);
    }
    for (size_t row = 0; row < delta_.routes.length.size(); row++) {
      release(address_of(delta_.routes.prefix, row), delta_.routes.length[row]);
    }
    release_backends();
    for (size_t row = 0; row < delta_.removedGroups.size(); row++) {
      const uint32_t slot = delta_.removedGroups[row];
      if (put_groups_.contains(slot)) continue;
      if (is_named(slot, true) || is_named(slot, false)) {
        return program_error("removedGroups", row, "is a group that a route still names");
      }
      if (is_referred_to(slot, master_.group_backends, released_by_backends_)) {
        return program_error("removedGroups", row, "is a group that a backend still names");
      }
    }
    for (size_t row = 0; row < delta_.groups.slot.size(); row++) {
      if (families_[row] && is_named(delta_.groups.slot[row], !*families_[row])) {
        return program_error("groups.slot", row, "has gateways of another family than its routes");
      }
    }
    return {};
  }

  // Backends that do not stay as they are.
  void release_backends() {
    std::unordered_set<uint32_t> slots(delta_.removedBackends.begin(),
                                       delta_.removedBackends.end());
    slots.insert(delta_.backends.slot.begin(), delta_.backends.slot.end());
    for (const uint32_t slot : slots) {
      if (!master_.has_backend(slot)) continue;
      const uint32_t group = master_.backend(slot).group;
      if (group != kNoGroup) released_by_backends_[group]++;
    }
  }

  // By a route of a family that stays as it is.
  bool is_named(uint32_t slot, bool ipv4) const {
    const Counts& references = ipv4 ? master_.group_references4 : master_.group_references6;
    const Counts& released = ipv4 ? released4_ : released6_;
    const auto count = references.find(slot);
    if (count == references.end()) return false;
    const auto less = released.find(slot);
    return count->second > (less == released.end() ? 0 : less->second);
  }

  Status capacity() const {
    const auto& removed = delta_.removedRoutes;
    RouteCounts counts = master_.route_counts;
    RouteKeys gone;
    for (size_t row = 0; row < removed.length.size(); row++) {
      const RouteKey key{address_of(removed.prefix, row), removed.length[row]};
      if (master_.routes.contains(key) && gone.insert(key).second) counts.remove(key);
    }
    for (size_t row = 0; row < delta_.routes.length.size(); row++) {
      const RouteKey key{address_of(delta_.routes.prefix, row), delta_.routes.length[row]};
      if (master_.routes.contains(key) && !gone.contains(key)) continue;
      counts.add(key);
      if (!counts.fit(master_.limits.routes)) {
        return capacity_error("routes.prefix", row, "is one route more than there is room for");
      }
    }
    return {};
  }

  const ProgramDelta& delta_;
  const Master& master_;
  std::unordered_set<uint32_t> gone_groups_;
  std::unordered_map<uint32_t, size_t> put_groups_;  // row by slot
  std::vector<size_t> owners_;                       // of rows of nextHops: row of the group
  std::vector<GroupFamily> families_;                // of rows of groups
  RouteKeys released_;                               // routes that do not stay as they are
  Counts released4_, released6_;                     // group slot: how many of these name it
  Counts released_by_backends_;                      // the same, of backends
};

}  // namespace

Status check_routes(const ProgramDelta& delta, const Master& master) {
  return Check(delta, master).run();
}

}  // namespace sluice
