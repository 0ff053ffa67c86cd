// SPDX-License-Identifier: Apache-2.0
// The control thread's copy of the program that is in force: the newest snapshot, and the indices
// that make checking and applying a delta cost what the delta is worth, not what the program is.
// Addresses are general ones, so that one set of indices serves both families.
#pragma once

#include <cstdint>
#include <cstring>
#include <unordered_map>
#include <vector>

#include "base/crc32c.h"
#include "base/limits.h"
#include "base/result.h"
#include "config/left_right.h"
#include "config/program.h"
#include "config/route_pair.h"
#include "config/snapshot.h"

namespace sluice {

inline constexpr uint32_t kMaxSlots = 1u << 20;  // frontends, pools and services

struct FrontendKey {
  Address address;
  be16 port;
  uint8_t protocol;
  bool operator==(const FrontendKey&) const = default;
};

struct RouteKey {
  Address prefix;
  uint8_t length;
  bool operator==(const RouteKey&) const = default;
};

// Routes of each kind that has a limit.
struct RouteCounts {
  uint32_t ipv4 = 0, ipv6 = 0;
  uint32_t long_ipv4 = 0;  // of more than 24 bits

  void add(const RouteKey& key) { change(key, 1); }
  void remove(const RouteKey& key) { change(key, UINT32_MAX); }
  bool fit(uint32_t routes) const {
    return ipv4 <= routes && ipv6 <= routes && long_ipv4 <= max_long_routes(routes);
  }

 private:
  void change(const RouteKey& key, uint32_t by) {
    if (!key.prefix.is_ipv4()) {
      ipv6 += by;
      return;
    }
    ipv4 += by;
    if (key.length > 24) long_ipv4 += by;
  }
};

// For keys without padding.
struct HashOfBytes {
  template <class Key>
  size_t operator()(const Key& key) const {
    static_assert(std::has_unique_object_representations_v<Key>);
    return crc32c(&key, sizeof(key));
  }
};

// A frontend of either family.
struct FrontendRow {
  FrontendKey key;
  FrontendKind kind;
  uint8_t masquerade;
  uint32_t service;
  uint32_t pools[kScopes];
  uint32_t affinity_s;
  std::vector<RouteKey> ranges;
};

// What becomes of a frontend in the table of its family.
template <class F>
struct FrontendChange {
  Frontend<F> frontend;
  bool is_there;

  void make(ServiceTable<F>& table) const {
    if (is_there) {
      table.put(frontend);
    } else {
      table.remove(frontend.address, frontend.port, frontend.protocol);
    }
  }
};
template <class F>
using ServicePair = LeftRight<ServiceTable<F>, FrontendChange<F>>;

using Counts = std::unordered_map<uint32_t, uint32_t>;

// Drops a reference from a count that is there.
inline void release(Counts& counts, uint32_t slot) {
  const auto found = counts.find(slot);
  if (--found->second == 0) counts.erase(found);
}

// Whether references are left when those that `released` counts have gone.
inline bool is_referred_to(uint32_t slot, const Counts& references, const Counts& released) {
  const auto count = references.find(slot);
  if (count == references.end()) return false;
  const auto less = released.find(slot);
  return count->second > (less == released.end() ? 0 : less->second);
}

struct Master {
  explicit Master(const Limits& limits_) : limits(limits_) {}

  Limits limits;
  Snapshot snapshot;
  std::unordered_map<uint32_t, FrontendRow> frontends;  // by slot
  std::unordered_map<FrontendKey, uint32_t, HashOfBytes> frontend_slots;
  Counts pool_references;      // pool slot: how often frontends name it
  Counts backend_references;   // backend slot: pools that have it as a member
  Counts rule_set_references;  // rule set slot: how often identities name it
  Counts identity_references;  // identity slot: networks that name it
  std::unordered_map<RouteKey, uint32_t, HashOfBytes> routes;  // slot of the group
  Counts group_references4, group_references6;  // group slot: how many routes of a family name it
  Counts group_backends;                        // group slot: how many backends name it
  RouteCounts route_counts;
  std::vector<uint32_t> free_next_hops;
  uint32_t backends = 0, pools = 0;  // slots that are not empty
  // What the snapshot names one of, after publish().
  SlotPair<BackendRecord> backend_slots;
  SlotPair<std::shared_ptr<const Pool>> pool_slots;
  ServicePair<Ipv4> services4;
  ServicePair<Ipv6> services6;
  RoutePair<Ipv4> routes4;
  RoutePair<Ipv6> routes6;

  void publish() {
    snapshot.backends = backend_slots.publish();
    snapshot.pools = pool_slots.publish();
    snapshot.v4.services = &services4.publish();
    snapshot.v6.services = &services6.publish();
    snapshot.v4.routes = routes4.publish();
    snapshot.v6.routes = routes6.publish();
  }
  void settle() {
    backend_slots.settle();
    pool_slots.settle();
    services4.settle();
    services6.settle();
    routes4.settle();
    routes6.settle();
  }

  bool has_pool(uint32_t slot) const {
    const auto& all = pool_slots.newest();
    return slot < all.size() && all[slot] != nullptr;
  }
  // Precondition: has_pool.
  const Pool& pool(uint32_t slot) const { return *pool_slots.newest()[slot]; }
  bool has_group(uint32_t slot) const {
    return slot < snapshot.groups.size() && !snapshot.groups[slot].hops.empty();
  }
  Counts& group_references(bool ipv4) { return ipv4 ? group_references4 : group_references6; }
  bool has_backend(uint32_t slot) const { return backend(slot).serial != 0; }
  // Without a serial where there is none.
  BackendRecord backend(uint32_t slot) const {
    const auto& all = backend_slots.newest();
    return slot < all.size() ? all[slot] : BackendRecord{};
  }
  bool has_rule_set(uint32_t slot) const { return snapshot.rule_sets.find(slot) != nullptr; }
  bool has_identity(uint32_t slot) const { return snapshot.identities.find(slot) != nullptr; }
  // Slot of the identity that this very network has; or kNoIdentity.
  uint32_t identity_of(const RouteKey& network) const {
    const auto& [prefix, length] = network;
    return prefix.is_ipv4() ? snapshot.v4.identities.find({Ipv4::from(prefix), length})
                            : snapshot.v6.identities.find({prefix, length});
  }
  bool has_interface(uint16_t slot) const {
    return slot < snapshot.interfaces.size() && snapshot.interfaces[slot].present;
  }
};

// Row `row` of a column of 16-byte addresses.
inline Address address_of(const std::vector<uint8_t>& column, size_t row) {
  Address address;
  std::memcpy(&address, &column[sizeof(address) * row], sizeof(address));
  return address;
}

// Everything that may be wrong with a delta; the first thing found. Changes nothing.
Status check_delta(const ProgramDelta& delta, const Master& master);

// Apply a checked delta. `commit` is its number.
void apply_services(const ProgramDelta& delta, uint64_t commit, Master& master);
void apply_network(const ProgramDelta& delta, Master& master);
void apply_routes(const ProgramDelta& delta, Master& master);
void apply_policy(const ProgramDelta& delta, Master& master);
// Brings the table of tunnels up to what interfaces there are.
void collect_tunnels(Snapshot& snapshot);
// Takes along what an interface has.
void clear_interface(uint16_t slot, Master& master);
// The next hops over it, the groups that have no other, and the routes that name these.
void clear_routes_over(uint16_t interface, Master& master);

}  // namespace sluice
