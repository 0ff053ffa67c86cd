// SPDX-License-Identifier: Apache-2.0
// Templates of the data frames of a direction, one for each frame size, and the order they come in.
#pragma once

#include <cstdint>
#include <vector>

#include "generator/frame.h"
#include "generator/options.h"

namespace sluice::generator {

// The two ends of the generator as frames see them: MACs, and the way.
FrameKind frame_kind(const Traffic& traffic, Direction direction);

// What TCP connections of throughput and latency runs are at: established, nothing said yet.
inline constexpr uint32_t kClientSequence = 0x1000'0000, kBackendSequence = 0x2000'0000;

// Bytes of payload that make a frame of `frame` bytes with its FCS, and no fewer than the tag's.
uint16_t payload_of(const Traffic& traffic, uint32_t frame);

class DataFrames {
 public:
  DataFrames(const Traffic& traffic, Direction direction);

  const FrameTemplate& next() {
    const FrameTemplate& frame = templates_[order_[at_]];
    if (++at_ == order_.size()) at_ = 0;
    return frame;
  }

 private:
  std::vector<FrameTemplate> templates_;
  std::vector<uint8_t> order_;  // of templates
  size_t at_ = 0;
};

}  // namespace sluice::generator
