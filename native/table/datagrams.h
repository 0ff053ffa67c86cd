// SPDX-License-Identifier: Apache-2.0
// Theory of operation. What is known of datagrams in fragments: records in a hash table and in the
// order of their making, and lists of packets that wait, out of one store. All memory but that of
// ranges, which a record keeps for the next datagram, is taken at the start. The rules are
// fragments.cc's.
#pragma once

#include <cstdint>
#include <cstring>
#include <utility>
#include <vector>

#include "base/family.h"
#include "packet/burst.h"

namespace sluice {

inline constexpr uint32_t kNoDatagram = UINT32_MAX;
inline constexpr uint32_t kEndUnknown = UINT32_MAX;

// Zero-padded; IPv4 mapped. IPv6 packets never have mapped addresses (martians).
struct DatagramKey {
  Address source;
  Address destination;
  uint32_t identification;
  uint8_t protocol;
  uint8_t zero[3];

  bool operator==(const DatagramKey& other) const {
    return std::memcmp(this, &other, sizeof(other)) == 0;
  }
};
static_assert(sizeof(DatagramKey) == 40);

struct ByteRange {
  uint32_t begin, end;
};

// What the first fragment says about all.
struct FirstFragment {
  PacketClass type;
  uint8_t protocol;
  be16 source_port;
  be16 destination_port;
  uint32_t hash;
};

struct Datagram {
  DatagramKey key;
  uint32_t created_s;
  uint32_t end;      // kEndUnknown: the last fragment was not seen yet
  uint32_t covered;  // bytes, by all ranges: they do not overlap
  bool spoilt;
  bool has_first;
  FirstFragment first;  // where has_first
  std::vector<ByteRange> ranges;

 private:
  friend class Datagrams;
  uint32_t next_;  // in the bucket, or of the free ones
  uint32_t older_, newer_;
  uint32_t waiting_head_, waiting_tail_;
};

class Datagrams {
 public:
  Datagrams(uint32_t datagrams, uint32_t packets);

  Datagram& at(uint32_t number) { return datagrams_[number]; }
  const Datagram& at(uint32_t number) const { return datagrams_[number]; }

  uint32_t find(const DatagramKey& key) const;            // or kNoDatagram
  uint32_t make(const DatagramKey& key, uint32_t now_s);  // or kNoDatagram: full
  void remove(uint32_t number);                           // nothing waits for it
  uint32_t oldest() const { return oldest_; }
  uint32_t newer(uint32_t number) const { return datagrams_[number].newer_; }

  // There is room.
  void wait(Datagram& datagram, const Packet& packet);
  // Takes the packets that wait out of it, in the order of their coming.
  template <class Take>
  void empty(Datagram& datagram, Take&& take) {
    uint32_t number = std::exchange(datagram.waiting_head_, kNone);
    datagram.waiting_tail_ = kNone;
    while (number != kNone) {
      const uint32_t next = std::exchange(places_[number].next, free_place_);
      free_place_ = number;
      waiting_--;
      take(places_[number].packet);
      number = next;
    }
  }
  uint32_t count_waiting(const Datagram& datagram) const;

  uint32_t size() const { return size_; }
  uint32_t waiting() const { return waiting_; }
  uint32_t max_size() const { return static_cast<uint32_t>(datagrams_.size()); }
  uint32_t max_waiting() const { return static_cast<uint32_t>(places_.size()); }

 private:
  static constexpr uint32_t kNone = UINT32_MAX;
  struct Waiting {
    Packet packet;
    uint32_t next;  // of the same datagram, or of the free places
  };

  size_t bucket_of(const DatagramKey& key) const;

  std::vector<Datagram> datagrams_;
  std::vector<Waiting> places_;
  std::vector<uint32_t> buckets_;  // first datagram of each
  uint32_t free_datagram_ = kNone, free_place_ = kNone;
  uint32_t oldest_ = kNone, newest_ = kNone;
  uint32_t size_ = 0, waiting_ = 0;
};

}  // namespace sluice
