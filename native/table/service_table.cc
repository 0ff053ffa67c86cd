// SPDX-License-Identifier: Apache-2.0
#include "table/service_table.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <utility>

namespace sluice {
namespace {

// SplitMix64's finaliser: keys of a cluster differ in few bits.
uint64_t spread(uint64_t key) {
  key = (key ^ (key >> 30)) * 0xbf58476d1ce4e5b9;
  key = (key ^ (key >> 27)) * 0x94d049bb133111eb;
  return key ^ (key >> 31);
}

uint64_t word_of(be32 address) { return address.raw; }
uint64_t word_of(const Address& address) {
  uint64_t words[2];
  std::memcpy(words, address.bytes, sizeof(words));
  return words[1] ^ spread(words[0]);
}

template <class A>
uint32_t hash_of(const A& address, be16 port, uint8_t protocol) {
  const uint64_t rest = uint64_t{port.raw} << 8 | protocol;
  return static_cast<uint32_t>(spread(word_of(address) ^ rest << 32));
}

template <class A>
uint32_t hash_of(const A& address) {
  return static_cast<uint32_t>(spread(word_of(address)));
}

}  // namespace

template <class F>
bool Frontend<F>::admits(const typename F::Address& source) const {
  if (ranges.empty()) return !closed;
  return std::any_of(ranges.begin(), ranges.end(),
                     [&](const Prefix<F>& range) { return range.holds(source); });
}

template <class F>
ServiceTable<F>::ServiceTable(std::vector<Frontend<F>> frontends)
    : frontends_(std::move(frontends)) {
  const size_t size = std::bit_ceil(std::max<size_t>(frontends_.size() * 2, 2));
  key_mask_ = address_mask_ = static_cast<uint32_t>(size - 1);
  by_key_.assign(size, 0);
  by_address_.assign(size, 0);
  for (uint32_t i = 0; i < frontends_.size(); i++) {
    const Frontend<F>& frontend = frontends_[i];
    uint32_t at = hash_of(frontend.address, frontend.port, frontend.protocol) & key_mask_;
    while (by_key_[at] != 0) at = (at + 1) & key_mask_;
    by_key_[at] = i + 1;

    if (frontend.kind != FrontendKind::cluster) continue;
    at = hash_of(frontend.address) & address_mask_;
    while (by_address_[at] != 0 && !(frontends_[by_address_[at] - 1].address == frontend.address)) {
      at = (at + 1) & address_mask_;
    }
    by_address_[at] = i + 1;
  }
}

template <class F>
const Frontend<F>* ServiceTable<F>::find(const typename F::Address& address, be16 port,
                                         uint8_t protocol) const {
  uint32_t at = hash_of(address, port, protocol) & key_mask_;
  for (; by_key_[at] != 0; at = (at + 1) & key_mask_) {
    const Frontend<F>& frontend = frontends_[by_key_[at] - 1];
    if (frontend.address == address && frontend.port == port && frontend.protocol == protocol) {
      return &frontend;
    }
  }
  return nullptr;
}

template <class F>
bool ServiceTable<F>::has_cluster_address(const typename F::Address& address) const {
  uint32_t at = hash_of(address) & address_mask_;
  for (; by_address_[at] != 0; at = (at + 1) & address_mask_) {
    if (frontends_[by_address_[at] - 1].address == address) return true;
  }
  return false;
}

template struct Frontend<Ipv4>;
template struct Frontend<Ipv6>;
template class ServiceTable<Ipv4>;
template class ServiceTable<Ipv6>;

}  // namespace sluice
