// SPDX-License-Identifier: Apache-2.0
// Frames from a fuzzer's input: made from nothing, or of what came out before (replies, errors,
// fragments), because that is what meets flows.
#pragma once

#include <cstdint>
#include <deque>
#include <vector>

#include "testing/fuzz_input.h"

namespace sluice {

struct FuzzFrame {
  std::vector<uint8_t> bytes;
  uint16_t interface;  // by which it came or went
};

// The last frames that came and went.
class FuzzHistory {
 public:
  void add(FuzzFrame frame);
  // Null: there is none yet.
  const FuzzFrame* pick(FuzzInput& input) const;

 private:
  std::deque<FuzzFrame> frames_;
};

// `ours`: MACs of the interfaces, by slot. Interface of the result: by which it comes.
FuzzFrame fuzz_frame(FuzzInput& input, const FuzzHistory& history,
                     const std::vector<std::vector<uint8_t>>& ours);

}  // namespace sluice
