// SPDX-License-Identifier: Apache-2.0
#include "table/datagrams.h"

#include <algorithm>
#include <bit>

#include "base/crc32c.h"

namespace sluice {

Datagrams::Datagrams(uint32_t datagrams, uint32_t packets)
    : datagrams_(datagrams),
      places_(packets),
      buckets_(std::bit_ceil(std::max<size_t>(size_t{datagrams} * 2, 2)), kNone) {
  for (uint32_t i = datagrams; i-- > 0;) datagrams_[i].next_ = std::exchange(free_datagram_, i);
  for (uint32_t i = packets; i-- > 0;) places_[i].next = std::exchange(free_place_, i);
}

size_t Datagrams::bucket_of(const DatagramKey& key) const {
  return crc32c(&key, sizeof(key)) & (buckets_.size() - 1);
}

uint32_t Datagrams::find(const DatagramKey& key) const {
  uint32_t number = buckets_[bucket_of(key)];
  while (number != kNone && !(datagrams_[number].key == key)) number = datagrams_[number].next_;
  return number;
}

uint32_t Datagrams::make(const DatagramKey& key, uint32_t now_s) {
  const uint32_t number = free_datagram_;
  if (number == kNone) return kNoDatagram;
  Datagram& made = datagrams_[number];
  free_datagram_ = made.next_;
  made.key = key;
  made.created_s = now_s;
  made.end = kEndUnknown;
  made.covered = 0;
  made.spoilt = made.has_first = false;
  made.ranges.clear();
  made.waiting_head_ = made.waiting_tail_ = kNone;
  made.next_ = std::exchange(buckets_[bucket_of(key)], number);
  made.older_ = newest_;
  made.newer_ = kNone;
  (newest_ == kNone ? oldest_ : datagrams_[newest_].newer_) = number;
  newest_ = number;
  size_++;
  return number;
}

void Datagrams::remove(uint32_t number) {
  Datagram& gone = datagrams_[number];
  uint32_t* link = &buckets_[bucket_of(gone.key)];
  while (*link != number) link = &datagrams_[*link].next_;
  *link = gone.next_;
  (gone.older_ == kNone ? oldest_ : datagrams_[gone.older_].newer_) = gone.newer_;
  (gone.newer_ == kNone ? newest_ : datagrams_[gone.newer_].older_) = gone.older_;
  gone.next_ = std::exchange(free_datagram_, number);
  size_--;
}

void Datagrams::wait(Datagram& datagram, const Packet& packet) {
  const uint32_t number = free_place_;
  free_place_ = places_[number].next;
  places_[number] = {packet, kNone};
  uint32_t& last = datagram.waiting_tail_;
  (last == kNone ? datagram.waiting_head_ : places_[last].next) = number;
  last = number;
  waiting_++;
}

uint32_t Datagrams::count_waiting(const Datagram& datagram) const {
  uint32_t count = 0;
  for (uint32_t at = datagram.waiting_head_; at != kNone; at = places_[at].next) count++;
  return count;
}

}  // namespace sluice
