// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "packet/burst.h"

namespace sluice {

// A buffer of the engine's: `handle` is opaque to the stages.
struct Frame {
  void* handle = nullptr;
  uint8_t* data = nullptr;
  uint32_t length = 0;
  uint16_t interface = 0;     // egress
  Fate fate = Fate::pending;  // what it counts as: forward, answer, or pending if we have made it
  uint32_t hash = 0;          // of its five-tuple as received
};

}  // namespace sluice
