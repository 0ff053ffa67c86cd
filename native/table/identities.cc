// SPDX-License-Identifier: Apache-2.0
#include "table/identities.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/crc32c.h"
#include "base/mix.h"
#include "table/shared_slots.h"

namespace sluice {
namespace {

constexpr size_t kLeastRows = 4;

// The upper bits choose the shard, the lower ones the place in it.
uint32_t hash_of(be32 address, uint8_t length) { return mix(address.raw + length * 0x9e3779b9u); }
uint32_t hash_of(const Address& address, uint8_t length) {
  uint64_t words[2];
  std::memcpy(words, address.bytes, sizeof(words));
  return mix(crc32c_words(words) + length * 0x9e3779b9u);
}

be32 network_of(be32 address, uint8_t length) {
  return be32::from_host(length == 0 ? 0 : address.host() & ~uint32_t{0} << (32 - length));
}
Address network_of(const Address& address, uint8_t length) {
  Address network{};
  const uint32_t whole = length / 8, rest = length % 8;
  std::memcpy(network.bytes, address.bytes, whole);
  if (rest != 0)
    network.bytes[whole] = static_cast<uint8_t>(address.bytes[whole] & 0xff00u >> rest);
  return network;
}

}  // namespace

// Where the network is, or the empty row where it would be. There are rows, not all used.
template <class F>
size_t IdentityTable<F>::Shard::place_of(const typename F::Address& address, uint8_t length,
                                         uint32_t hash) const {
  const size_t mask = rows.size() - 1;
  size_t at = hash & mask;
  while (rows[at].identity != kNoIdentity &&
         !(rows[at].address == address && rows[at].length == length)) {
    at = (at + 1) & mask;
  }
  return at;
}

template <class F>
uint32_t IdentityTable<F>::Shard::find(const Prefix<F>& network, uint32_t hash) const {
  return rows.empty() ? kNoIdentity
                      : rows[place_of(network.address, network.length, hash)].identity;
}

template <class F>
bool IdentityTable<F>::Shard::put(const Row& row, uint32_t hash) {
  if ((used + 1) * 4 > rows.size() * 3) grow();
  Row& place = rows[place_of(row.address, row.length, hash)];
  const bool is_new = place.identity == kNoIdentity;
  place = row;
  used += is_new;
  return is_new;
}

template <class F>
void IdentityTable<F>::Shard::grow() {
  const std::vector<Row> old = std::exchange(rows, {});
  rows.resize(std::max(kLeastRows, old.size() * 2));
  for (const Row& row : old) {
    if (row.identity == kNoIdentity) continue;
    rows[place_of(row.address, row.length, hash_of(row.address, row.length))] = row;
  }
}

template <class F>
void IdentityTable<F>::Shard::remove(const Prefix<F>& network, uint32_t hash) {
  const size_t mask = rows.size() - 1;
  size_t hole = place_of(network.address, network.length, hash);
  // What follows must be found without the row: it moves up unless its own place lies behind.
  for (size_t at = (hole + 1) & mask; rows[at].identity != kNoIdentity; at = (at + 1) & mask) {
    const size_t wanted = hash_of(rows[at].address, rows[at].length) & mask;
    if (((at - wanted) & mask) < ((at - hole) & mask)) continue;
    rows[hole] = rows[at];
    hole = at;
  }
  rows[hole] = {};
  used--;
}

template <class F>
void IdentityTable<F>::State::count(uint8_t length, uint32_t change) {
  networks[length] += change;
  lengths.clear();
  for (uint32_t each = F::kBits + 1; each-- > 0;) {
    if (networks[each] > 0) lengths.push_back(static_cast<uint8_t>(each));
  }
}

template <class F>
uint32_t IdentityTable<F>::find(const Prefix<F>& network) const {
  if (state_ == nullptr) return kNoIdentity;
  const uint32_t hash = hash_of(network.address, network.length);
  const Shard* shard = state_->shards[hash >> (32 - kShardBits)].get();
  return shard == nullptr ? kNoIdentity : shard->find(network, hash);
}

template <class F>
uint32_t IdentityTable<F>::lookup(const typename F::Address& address) const {
  if (state_ == nullptr) return kNoIdentity;
  for (const uint8_t length : state_->lengths) {
    const uint32_t identity = find({network_of(address, length), length});
    if (identity != kNoIdentity) return identity;
  }
  return kNoIdentity;
}

template <class F>
void IdentityTable<F>::put(const Prefix<F>& network, uint32_t identity) {
  const uint32_t hash = hash_of(network.address, network.length);
  State& state = own(state_);
  Shard& shard = own(state.shards[hash >> (32 - kShardBits)]);
  if (shard.put({network.address, network.length, identity}, hash)) state.count(network.length, 1);
}

template <class F>
void IdentityTable<F>::remove(const Prefix<F>& network) {
  if (find(network) == kNoIdentity) return;
  const uint32_t hash = hash_of(network.address, network.length);
  State& state = own(state_);
  own(state.shards[hash >> (32 - kShardBits)]).remove(network, hash);
  state.count(network.length, UINT32_MAX);
}

template class IdentityTable<Ipv4>;
template class IdentityTable<Ipv6>;

}  // namespace sluice
