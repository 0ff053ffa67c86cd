// SPDX-License-Identifier: Apache-2.0
#include "base/zeroed_memory.h"

#include <sys/mman.h>

#include <new>

namespace sluice {

ZeroedMemory::ZeroedMemory(size_t bytes) : bytes_(bytes) {
  data_ = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
               -1, 0);
  if (data_ == MAP_FAILED) throw std::bad_alloc();
  madvise(data_, bytes, MADV_HUGEPAGE);
}

ZeroedMemory::~ZeroedMemory() { munmap(data_, bytes_); }

}  // namespace sluice
