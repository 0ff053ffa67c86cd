// SPDX-License-Identifier: Apache-2.0
// Theory of operation. The whole native path under arbitrary input: programs, frames, clock jumps,
// interfaces that come and go, peers that take nothing, no buffers. Held after every poll are the
// law of fates and that every buffer belongs to somebody (World's own checks), that a frame leaves
// by an interface that is there, and that all checksums are right on their way out if they were on
// their way in; and that a packet that comes alone meets the fate that explain foretells. A broken
// rule fails a doctest assertion; AddressSanitizer sees the rest.
#pragma once

#include <cstddef>
#include <cstdint>

namespace sluice {

void fuzz_pipeline(const uint8_t* data, size_t size);

}  // namespace sluice
