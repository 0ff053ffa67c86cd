// SPDX-License-Identifier: Apache-2.0
// What workers read: one immutable value. A commit makes a new one and publishes it with a single
// atomic store; the old one is freed when no worker can still read it (engine/publish). What is
// large is not in it: it names one of a pair that ProgramState owns, or shares what did not change.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <cstring>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "base/family.h"
#include "config/program.h"
#include "table/ecmp.h"
#include "table/identities.h"
#include "table/policy.h"
#include "table/routes.h"
#include "table/service_table.h"
#include "table/shared_slots.h"
#include "table/shared_vector.h"
#include "table/tunnels.h"

namespace sluice {

// A backend by slot.
struct BackendRecord {
  Address address{};
  be16 port{};
  bool flushed = false;
  uint32_t service = 0;
  uint32_t group = kNoGroup;  // of the next hops that packets go by as they came; or kNoGroup
  uint32_t serial = 0;        // 0: the slot is empty; see docs/packet-path.md, "Program"
};

struct Pool {
  bool silent = false;            // what becomes of new connections without an eligible member
  std::vector<uint32_t> members;  // backend slots
  std::vector<uint32_t> maglev;   // backend slots, made when the pool was put; empty: none eligible
  std::vector<uint32_t> eligible;  // backend slots of weight > 0, sorted

  bool is_eligible(uint32_t backend_slot) const;
};

enum class InterfaceScope : uint8_t { outside, pod, host };

struct InterfaceView {
  bool present = false;
  bool unfinished_checksums = false;
  bool has_sources = false;  // of either family: nobody else may send by it
  InterfaceScope scope = InterfaceScope::outside;
  uint8_t mac[6]{};
  uint16_t mtu = 0;
  const std::atomic<bool>* up = nullptr;  // the engine's; follows the peer without a commit
  std::vector<Prefix<Ipv4>> addresses4;   // our own, with the length of their network
  std::vector<Prefix<Ipv6>> addresses6;
  std::vector<Prefix<Ipv4>> sources4;
  std::vector<Prefix<Ipv6>> sources6;
  std::shared_ptr<const Tunnel> tunnel;  // null: it is none

  // Packets pass it without the Ethernet header that they have on our side.
  bool is_layer3() const { return tunnel != nullptr && tunnel->is_layer3(); }

  // The MAC in the upper six bytes of a word, as it lies in memory.
  uint64_t mac_word() const {
    uint64_t word = 0;
    std::memcpy(reinterpret_cast<uint8_t*>(&word) + 2, mac, sizeof(mac));
    return word;
  }

  template <class F>
  const std::vector<Prefix<F>>& addresses() const {
    if constexpr (F::kVersion == 4) {
      return addresses4;
    } else {
      return addresses6;
    }
  }
  template <class F>
  const std::vector<Prefix<F>>& sources() const {
    if constexpr (F::kVersion == 4) {
      return sources4;
    } else {
      return sources6;
    }
  }
  // The address may be a source of what comes in.
  template <class F>
  bool admits(const typename F::Address& source) const {
    if (!has_sources) return true;
    const auto& all = sources<F>();
    return std::any_of(all.begin(), all.end(),
                       [&](const Prefix<F>& each) { return each.holds(source); });
  }
};

struct NextHop {
  uint16_t interface = 0;
  bool has_mac = false;
  uint8_t mac[6]{};
  uint8_t weight = 1;
  uint32_t key = 0;
  Address gateway{};  // all zero: the destination itself
};

// `Packet::next_hop` of a packet without a way.
inline constexpr uint32_t kNoNextHop = UINT32_MAX;
// The row of the next hop that is this node's kernel: by its interface, without a gateway.
inline constexpr uint32_t kHostNextHop = 0;

// What a route names: next hops of equal worth.
struct NextHopGroup {
  std::vector<uint32_t> hops;               // indices; empty: the slot is
  std::shared_ptr<const EcmpTable> choice;  // rows of `hops`; null where there is but one
  uint32_t only = kNoNextHop;               // where there is but one
};

// The order of own addresses: bytewise. Asked for every packet.
template <class F>
bool precedes(const typename F::Address& a, const typename F::Address& b) {
  if constexpr (F::kVersion == 4) {
    return a.host() < b.host();
  } else {
    return std::memcmp(&a, &b, sizeof(a)) < 0;
  }
}

// Tells most addresses from a set's for certain, at the cost of a multiplication.
template <class F>
class AddressFilter {
 public:
  void add(const typename F::Address& address) { word_of(address) |= mask_of(address); }
  void clear() { std::fill(words_, words_ + kWords, 0); }
  bool may_hold(const typename F::Address& address) const {
    return (words_[place_of(address) / 64] & mask_of(address)) != 0;
  }

 private:
  static constexpr uint32_t kWords = 16;

  static uint32_t place_of(const typename F::Address& address) {
    uint32_t words[sizeof(address) / 4], mixed = 0;
    std::memcpy(words, &address, sizeof(address));
    for (uint32_t word : words) mixed = mixed * 31 + word;
    return (mixed * 0x9e3779b1u) >> 22;
  }
  static uint64_t mask_of(const typename F::Address& address) {
    return uint64_t{1} << place_of(address) % 64;
  }
  uint64_t& word_of(const typename F::Address& address) { return words_[place_of(address) / 64]; }

  uint64_t words_[kWords]{};
};

// What there is once for each family.
template <class F>
struct FamilyView {
  const ServiceTable<F>* services = nullptr;        // one of a pair
  const RouteTable<F>* routes = nullptr;            // the same
  std::vector<typename F::Address> own_addresses;   // sorted bytewise, no duplicates
  AddressFilter<F> own_filter;                      // of the same
  std::vector<typename F::Address> node_addresses;  // those on no interface, in program order
  std::vector<Prefix<F>> pod_networks;
  std::vector<Prefix<F>> service_networks;
  IdentityTable<F> identities;  // numbers are slots of Snapshot::identities

  bool is_own_address(const typename F::Address& address) const {
    return own_filter.may_hold(address) &&
           std::binary_search(own_addresses.begin(), own_addresses.end(), address, precedes<F>);
  }
  bool is_pod(const typename F::Address& source) const;
  bool is_service_network(const typename F::Address& destination) const;
};

struct Snapshot {
  uint64_t generation = 0;  // commits so far; interfaces that come and go do not count
  // Changes when something does that an established flow may depend on: backends that are there,
  // routes, interfaces, policy. Never 0.
  uint32_t stamp = 1;
  FamilyView<Ipv4> v4;
  FamilyView<Ipv6> v6;
  std::span<const std::shared_ptr<const Pool>> pools;  // by slot; one of a pair
  std::span<const BackendRecord> backends;             // the same
  SharedVector<InterfaceView> interfaces;              // by slot
  // Of both families. Adjacencies are numbered by them, so that they keep their place.
  SharedVector<NextHop> next_hops;    // kHostNextHop among them
  SharedVector<NextHopGroup> groups;  // by slot
  bool has_host = false;              // an interface of scope host is there
  SharedSlots<RuleSet> rule_sets;
  SharedSlots<Identity> identities;
  std::shared_ptr<const TunnelTable> tunnels;  // null: no interface is one

  template <class F>
  const FamilyView<F>& of() const {
    if constexpr (F::kVersion == 4) {
      return v4;
    } else {
      return v6;
    }
  }
  // The interface is there, and so is its peer.
  bool is_usable(uint16_t interface) const {
    const InterfaceView& view = interfaces[interface];
    return view.present && view.up->load(std::memory_order_relaxed);
  }
  // Where packets of a flow's `hash` go by the route to an address, or to the host.
  struct Way {
    uint32_t next_hop;  // kNoNextHop: there is no route
    bool detour;        // its owner in the group is not usable, and may come back without a commit
  };
  template <class F>
  Way find_way(const typename F::Address& destination, uint32_t hash) const;
  // The same, by a group; it may be kNoGroup, or gone.
  Way choose(uint32_t group, uint32_t hash) const {
    // Most groups have one.
    if (group < groups.size() && groups[group].only != kNoNextHop)
      return {groups[group].only, false};
    return choose_among(group, hash);
  }
  Way choose_among(uint32_t group, uint32_t hash) const;
  // What goes there goes to this node's kernel.
  template <class F>
  bool is_host(const typename F::Address& destination) const {
    return has_host && of<F>().is_own_address(destination);
  }
  // What packets of ours to a next hop can come from: the first address of the interface whose
  // network holds it, else its first one, else one of the node; never a link-local one. Null: none.
  template <class F>
  const typename F::Address* source_towards(uint16_t interface,
                                            const typename F::Address& next_hop) const;
  // The slot still holds the backend of this serial.
  bool is_backend(uint32_t slot, uint32_t serial) const {
    return slot < backends.size() && backends[slot].serial == serial;
  }
  // Packets go to it as they came.
  bool is_one_way(uint32_t backend) const { return backends[backend].group != kNoGroup; }
};

}  // namespace sluice
