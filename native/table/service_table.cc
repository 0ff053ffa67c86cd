// SPDX-License-Identifier: Apache-2.0
#include "table/service_table.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace sluice {
namespace {

constexpr size_t kLeastRows = 4;

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

template <class F>
uint32_t hash_of(const Frontend<F>& frontend) {
  return hash_of(frontend.address, frontend.port, frontend.protocol);
}

template <class Row>
uint32_t mask_of(const std::vector<Row>& rows) {
  return static_cast<uint32_t>(rows.size() - 1);
}

// Empties a row of an open-addressing table. What follows must be found without it: it moves up
// unless its own place lies behind.
template <class Row, class IsEmpty, class HashOf>
void close_gap(std::vector<Row>& rows, size_t hole, IsEmpty is_empty, HashOf hash_of_row) {
  const size_t mask = rows.size() - 1;
  for (size_t at = (hole + 1) & mask; !is_empty(rows[at]); at = (at + 1) & mask) {
    const size_t wanted = hash_of_row(rows[at]) & mask;
    if (((at - wanted) & mask) < ((at - hole) & mask)) continue;
    rows[hole] = rows[at];
    hole = at;
  }
  rows[hole] = {};
}

}  // namespace

template <class F>
bool Frontend<F>::admits(const typename F::Address& source) const {
  if (ranges.empty()) return !closed;
  return std::any_of(ranges.begin(), ranges.end(),
                     [&](const Prefix<F>& range) { return range.holds(source); });
}

template <class F>
ServiceTable<F>::ServiceTable()
    : by_key_(kLeastRows),
      cluster_addresses_(kLeastRows),
      key_mask_(mask_of(by_key_)),
      address_mask_(mask_of(cluster_addresses_)) {}

template <class F>
void ServiceTable<F>::put(Frontend<F> frontend) {
  if (frontend.kind == FrontendKind::cluster) count(frontend.address);
  frontends_.push_back(std::move(frontend));
  if (frontends_.size() * 2 <= by_key_.size()) return point_to(frontends_.size() - 1);
  by_key_.assign(by_key_.size() * 2, 0);
  key_mask_ = mask_of(by_key_);
  for (size_t index = 0; index < frontends_.size(); index++) point_to(index);
}

template <class F>
void ServiceTable<F>::point_to(size_t index) {
  uint32_t at = hash_of(frontends_[index]) & key_mask_;
  while (by_key_[at] != 0) at = (at + 1) & key_mask_;
  by_key_[at] = static_cast<uint32_t>(index + 1);
}

template <class F>
void ServiceTable<F>::remove(const typename F::Address& address, be16 port, uint8_t protocol) {
  const uint32_t place = place_of(address, port, protocol);
  const uint32_t index = by_key_[place] - 1;
  if (frontends_[index].kind == FrontendKind::cluster) uncount(address);
  close_gap(
      by_key_, place, [](uint32_t row) { return row == 0; },
      [&](uint32_t row) { return hash_of(frontends_[row - 1]); });
  if (index + 1 != frontends_.size()) {  // the last one takes its place
    Frontend<F>& last = frontends_.back();
    by_key_[place_of(last.address, last.port, last.protocol)] = index + 1;
    frontends_[index] = std::move(last);
  }
  frontends_.pop_back();
}

// Where the frontend is, or the empty row where it would be.
template <class F>
uint32_t ServiceTable<F>::place_of(const typename F::Address& address, be16 port,
                                   uint8_t protocol) const {
  uint32_t at = hash_of(address, port, protocol) & key_mask_;
  for (; by_key_[at] != 0; at = (at + 1) & key_mask_) {
    const Frontend<F>& frontend = frontends_[by_key_[at] - 1];
    if (frontend.address == address && frontend.port == port && frontend.protocol == protocol) {
      break;
    }
  }
  return at;
}

template <class F>
uint32_t ServiceTable<F>::place_of(const typename F::Address& address) const {
  uint32_t at = hash_of(address) & address_mask_;
  while (cluster_addresses_[at].frontends != 0 && !(cluster_addresses_[at].address == address)) {
    at = (at + 1) & address_mask_;
  }
  return at;
}

template <class F>
void ServiceTable<F>::count(const typename F::Address& address) {
  ClusterAddress& row = cluster_addresses_[place_of(address)];
  row.address = address;
  if (row.frontends++ > 0) return;
  cluster_addresses_used_++;
  if (cluster_addresses_used_ * 2 <= cluster_addresses_.size()) return;
  std::vector<ClusterAddress> old(cluster_addresses_.size() * 2);
  old.swap(cluster_addresses_);
  address_mask_ = mask_of(cluster_addresses_);
  for (const ClusterAddress& each : old) {
    if (each.frontends != 0) cluster_addresses_[place_of(each.address)] = each;
  }
}

template <class F>
void ServiceTable<F>::uncount(const typename F::Address& address) {
  const uint32_t place = place_of(address);
  if (--cluster_addresses_[place].frontends > 0) return;
  cluster_addresses_used_--;
  close_gap(
      cluster_addresses_, place, [](const ClusterAddress& row) { return row.frontends == 0; },
      [](const ClusterAddress& row) { return hash_of(row.address); });
}

template <class F>
const Frontend<F>* ServiceTable<F>::find(const typename F::Address& address, be16 port,
                                         uint8_t protocol) const {
  const uint32_t row = by_key_[place_of(address, port, protocol)];
  return row == 0 ? nullptr : &frontends_[row - 1];
}

template <class F>
bool ServiceTable<F>::has_cluster_address(const typename F::Address& address) const {
  return cluster_addresses_[place_of(address)].frontends != 0;
}

template struct Frontend<Ipv4>;
template struct Frontend<Ipv6>;
template class ServiceTable<Ipv4>;
template class ServiceTable<Ipv6>;

}  // namespace sluice
