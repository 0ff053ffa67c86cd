// SPDX-License-Identifier: Apache-2.0
// What workers read: one immutable value. A commit makes a new one and publishes it with a single
// atomic store; the old one is freed when no worker can still read it (engine/publish).
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <cstring>
#include <memory>
#include <vector>

#include "base/family.h"
#include "table/routes.h"
#include "table/service_table.h"
#include "table/tunnels.h"

namespace sluice {

// A backend by slot.
struct BackendRecord {
  Address address{};
  be16 port{};
  bool flushed = false;
  uint32_t service = 0;
  uint32_t serial = 0;  // 0: the slot is empty; see docs/packet-path.md, "Program"
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
  InterfaceScope scope = InterfaceScope::outside;
  uint8_t mac[6]{};
  uint16_t mtu = 0;
  const std::atomic<bool>* up = nullptr;  // the engine's; follows the peer without a commit
  std::vector<Prefix<Ipv4>> addresses4;   // our own, with the length of their network
  std::vector<Prefix<Ipv6>> addresses6;
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
};

struct NextHop {
  uint16_t interface = 0;
  bool has_mac = false;
  uint8_t mac[6]{};
  Address gateway{};  // all zero: the destination itself
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
  std::shared_ptr<const ServiceTable<F>> services;
  const RouteTable<F>* routes = nullptr;            // one of the pair that ProgramState owns
  std::vector<typename F::Address> own_addresses;   // sorted bytewise, no duplicates
  AddressFilter<F> own_filter;                      // of the same
  std::vector<typename F::Address> node_addresses;  // those on no interface, in program order
  std::vector<Prefix<F>> pod_networks;
  std::vector<Prefix<F>> service_networks;

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
  // routes, interfaces. Never 0.
  uint32_t stamp = 1;
  FamilyView<Ipv4> v4;
  FamilyView<Ipv6> v6;
  std::vector<std::shared_ptr<const Pool>> pools;  // by slot
  std::vector<BackendRecord> backends;             // by slot
  std::vector<InterfaceView> interfaces;           // by slot
  std::vector<NextHop> next_hops;                  // of both families
  std::shared_ptr<const TunnelTable> tunnels;      // null: no interface is one

  template <class F>
  const FamilyView<F>& of() const {
    if constexpr (F::kVersion == 4) {
      return v4;
    } else {
      return v6;
    }
  }
  // The slot still holds the backend of this serial.
  bool is_backend(uint32_t slot, uint32_t serial) const {
    return slot < backends.size() && backends[slot].serial == serial;
  }
};

}  // namespace sluice
