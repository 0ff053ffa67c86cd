// SPDX-License-Identifier: Apache-2.0
// UDP datagrams in fragments: made on the client's side, counted and put together on the backend's.
#pragma once

#include <rte_mbuf.h>

#include <algorithm>
#include <cstdint>
#include <vector>

#include "generator/checker.h"
#include "generator/options.h"
#include "generator/population.h"
#include "generator/stream.h"

namespace sluice::generator {

// How a datagram is cut. All its fragments but the last are of one size. Bytes are those behind the
// IP headers, UDP's header among them.
class Cut {
 public:
  explicit Cut(const Traffic& traffic);
  uint16_t count() const { return count_; }
  uint32_t bytes() const { return bytes_; }
  uint32_t offset(uint16_t fragment) const { return fragment * each_; }
  uint32_t length(uint16_t fragment) const { return std::min(each_, bytes_ - offset(fragment)); }

 private:
  uint32_t bytes_, each_;
  uint16_t count_;
};

class FragmentMaker {
 public:
  explicit FragmentMaker(const Traffic& traffic);
  const Cut& cut() const { return cut_; }
  // The next datagram's fragments, in order, into as many buffers.
  void make(rte_mbuf* const* mbufs, uint32_t flow);

 private:
  void write_ip(uint8_t* frame, uint32_t flow, uint16_t fragment) const;
  void write_udp(uint8_t* frame, uint32_t flow) const;

  static constexpr size_t kBytes = 128;

  const Cut cut_;
  const Layout layout_;
  const Flows flows_;
  const uint16_t data_;      // where it begins in a frame
  uint8_t bytes_[kBytes]{};  // the headers, and the pattern behind them
  uint64_t udp_sum_;         // of all but the last 32 bits of addresses, ports and flow
  uint32_t identification_ = 0;
};

// Counts datagrams that have come whole, and hands one in a few to the checker, put together.
class FragmentCounter {
 public:
  explicit FragmentCounter(const Rig& rig);
  void count(const rte_mbuf& mbuf);
  uint64_t whole() const { return whole_; }

 private:
  struct Fragment {
    uint32_t identification, offset, length;
    const uint8_t* data;
  };

  bool read(const uint8_t* frame, uint32_t length, Fragment& fragment) const;
  void begin(const uint8_t* frame, const Fragment& first);
  void collect(const uint8_t* frame, const Fragment& fragment);

  const bool proxy_;
  const Cut cut_;
  const Layout layout_;
  const uint16_t data_;
  Checker& checker_;
  std::vector<uint32_t> bytes_;    // that have come, by the last 16 bits of the identification
  std::vector<uint8_t> datagram_;  // one of them as if it had come in one frame
  uint32_t collecting_ = 0;        // its identification
  uint32_t collected_ = 0;         // bytes of it; 0: none
  uint64_t whole_ = 0;
};

}  // namespace sluice::generator
