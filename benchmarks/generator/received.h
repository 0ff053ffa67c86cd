// SPDX-License-Identifier: Apache-2.0
// A received frame, taken apart and looked at: whose it is, and whether it is whole.
#pragma once

#include <cstdint>
#include <optional>

#include "generator/frame.h"
#include "generator/options.h"
#include "generator/population.h"

namespace sluice::generator {

// What the generator's own frames say about themselves.
struct Received {
  Endpoint source, destination;
  uint32_t l4_length;  // header and payload
  TcpFields tcp;       // of TCP
  const uint8_t* payload;
  uint32_t payload_length;

  // Of a payload that is long enough.
  Tag tag() const {
    Tag tag{};
    std::memcpy(&tag, payload, payload_length < kStampTag ? kFlowTag : kStampTag);
    return tag;
  }
};

class Reader {
 public:
  explicit Reader(const Population& population)
      : population_(population), layout_(population.family, population.protocol) {}

  // Whether a frame is of the run's family and protocol; ARP, for instance, is not.
  bool claims(const uint8_t* frame, uint32_t length) const;
  // Nothing: not a frame of this run, of this direction; of which `source` and `destination` have
  // the family's prefixes.
  std::optional<Received> read(const uint8_t* frame, uint32_t length, Direction direction) const;
  // Both checksums, over everything.
  bool checksums_right(const uint8_t* frame, const Received& received) const;
  // The payload behind the tag is the pattern.
  bool payload_intact(const uint8_t* frame, const Received& received) const;
  const Layout& layout() const { return layout_; }

 private:
  const Population& population_;
  const Layout layout_;
};

}  // namespace sluice::generator
