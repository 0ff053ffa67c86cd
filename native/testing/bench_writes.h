// SPDX-License-Identifier: Apache-2.0
// Which cache lines of some memory are written, stores that change nothing and locks included.
// While it is watched the memory is write-protected: a store that faults is noted and then stepped
// over. x86-64 Linux; one at a time, in one thread; no system call may write to the memory
// meanwhile.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace sluice {

inline constexpr uintptr_t kCacheLine = 64;

class WriteWatch {
 public:
  explicit WriteWatch(const std::vector<std::span<const std::byte>>& memory);
  ~WriteWatch();
  WriteWatch(const WriteWatch&) = delete;
  WriteWatch& operator=(const WriteWatch&) = delete;

  // The addresses of the lines that `work` writes, each once, sorted.
  template <class Work>
  std::vector<uintptr_t> lines_of(Work&& work) {
    begin();
    work();
    return end();
  }

 private:
  void begin();
  std::vector<uintptr_t> end();
};

}  // namespace sluice
