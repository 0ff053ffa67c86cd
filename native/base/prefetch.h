// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace sluice {

// Asks for a line that another core may have, to write it: the store then does not wait for it with
// all later stores behind. Every x86-64 has the instruction, if only as one that does nothing, but
// GCC's own prefetch for writing uses it only under a flag that Debian's builds do not set.
inline void prefetch_to_write(const void* at) {
#if defined(__x86_64__)
  asm volatile("prefetchw %0" : : "m"(*static_cast<const char*>(at)));
#else
  __builtin_prefetch(at, 1);
#endif
}

}  // namespace sluice
