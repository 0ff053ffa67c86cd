// SPDX-License-Identifier: Apache-2.0
// A fuzzer's input, read as a stream of choices: whatever the bytes are, they mean something, and
// behind their end everything is zero.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <vector>

namespace sluice {

class FuzzInput {
 public:
  FuzzInput(const uint8_t* data, size_t size) : data_(data), size_(size) {}

  bool at_end() const { return size_ == 0; }
  uint8_t byte() { return number<uint8_t>(); }
  uint16_t half() { return number<uint16_t>(); }
  uint32_t word() { return number<uint32_t>(); }
  // From 0 to `bound` - 1, of one byte.
  uint32_t below(size_t bound) { return static_cast<uint32_t>(byte() % bound); }
  // Once in `times`, and not behind the end.
  bool rarely(uint32_t times) { return below(times) == times - 1; }
  template <typename T, size_t N>
  const T& pick(const T (&table)[N]) {
    static_assert(N <= 256);
    return table[below(N)];
  }
  std::vector<uint8_t> bytes(size_t count) {
    std::vector<uint8_t> out(count);
    take(out.data(), count);
    return out;
  }

 private:
  template <typename T>
  T number() {
    T value = 0;
    take(reinterpret_cast<uint8_t*>(&value), sizeof(value));
    return value;
  }
  void take(uint8_t* out, size_t count) {
    const size_t there = std::min(count, size_);
    if (there == 0) return;
    std::memcpy(out, data_, there);
    data_ += there;
    size_ -= there;
  }

  const uint8_t* data_;
  size_t size_;
};

}  // namespace sluice
