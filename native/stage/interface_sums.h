// SPDX-License-Identifier: Apache-2.0
// Packets and bytes of tunnels, summed up over the frames of a burst: most have the tunnel of the
// one before them.
#pragma once

#include "base/counters.h"

namespace sluice {

class InterfaceSums {
 public:
  InterfaceSums(CounterBlock& counters, InterfaceCounter packets, InterfaceCounter bytes)
      : counters_(counters), packets_(packets), bytes_(bytes) {}
  ~InterfaceSums() { flush(); }
  InterfaceSums(const InterfaceSums&) = delete;
  InterfaceSums& operator=(const InterfaceSums&) = delete;

  void add(uint16_t interface, uint32_t bytes) {
    if (interface != interface_) {
      flush();
      interface_ = interface;
    }
    packet_sum_++;
    byte_sum_ += bytes;
  }

 private:
  void flush() {
    if (packet_sum_ == 0) return;
    counters_.add(interface_, packets_, packet_sum_);
    counters_.add(interface_, bytes_, byte_sum_);
    packet_sum_ = byte_sum_ = 0;
  }

  CounterBlock& counters_;
  const InterfaceCounter packets_, bytes_;
  uint16_t interface_ = UINT16_MAX;
  uint64_t packet_sum_ = 0, byte_sum_ = 0;
};

}  // namespace sluice
