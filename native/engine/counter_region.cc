// SPDX-License-Identifier: Apache-2.0
#include "engine/counter_region.h"

#include <sys/mman.h>

#include <new>

namespace sluice {
namespace {

size_t round_to_page(size_t bytes) { return (bytes + 4095) / 4096 * 4096; }

}  // namespace

CounterRegion::CounterRegion(const Limits& limits)
    : layout(CounterLayout::of(limits)),
      bytes_(round_to_page(size_t{layout.stride} * limits.workers * sizeof(uint64_t))) {
  void* memory = mmap(nullptr, bytes_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) throw std::bad_alloc();
  data_ = static_cast<uint64_t*>(memory);
}

CounterRegion::~CounterRegion() { munmap(data_, bytes_); }

}  // namespace sluice
