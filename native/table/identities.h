// SPDX-License-Identifier: Apache-2.0
// Theory of operation. Networks, most of them single addresses, and the number of the identity that
// each has; the longest one that holds an address says whose identity it has. A hash of (network,
// length), asked for each length that is there, longest first: pods are found at once, and lengths
// are few. The hash is cut into shards which copies share (shared_slots.h), so that one pod more
// costs a shard and not the cluster.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <vector>

#include "base/family.h"

namespace sluice {

inline constexpr uint32_t kNoIdentity = UINT32_MAX;

template <class F>
class IdentityTable {
 public:
  bool empty() const { return state_ == nullptr || state_->lengths.empty(); }
  // Of the longest network that holds the address; or kNoIdentity.
  uint32_t lookup(const typename F::Address& address) const;
  // Of this very network; or kNoIdentity. Host bits are zero, here and below.
  uint32_t find(const Prefix<F>& network) const;

  void put(const Prefix<F>& network, uint32_t identity);
  // One that is not there is no fault.
  void remove(const Prefix<F>& network);

 private:
  struct Row {
    typename F::Address address{};
    uint8_t length = 0;
    uint32_t identity = kNoIdentity;  // an empty row has none
  };
  // Open addressing, linear probing; a power of two of rows, or none.
  struct Shard {
    std::vector<Row> rows;
    uint32_t used = 0;

    uint32_t find(const Prefix<F>& network, uint32_t hash) const;
    // False: it replaced another identity.
    bool put(const Row& row, uint32_t hash);
    // Precondition: it is there.
    void remove(const Prefix<F>& network, uint32_t hash);

   private:
    size_t place_of(const typename F::Address& address, uint8_t length, uint32_t hash) const;
    void grow();
  };
  static constexpr uint32_t kShardBits = 10;
  struct State {
    std::vector<uint8_t> lengths;                   // that are there, longest first
    std::array<uint32_t, F::kBits + 1> networks{};  // how many there are, by length
    std::array<std::shared_ptr<Shard>, 1u << kShardBits> shards;

    void count(uint8_t length, uint32_t change);
  };

  std::shared_ptr<State> state_;
};

extern template class IdentityTable<Ipv4>;
extern template class IdentityTable<Ipv6>;

}  // namespace sluice
