// SPDX-License-Identifier: Apache-2.0
// Memory of large tables: zeroed, taken from the system only where it is touched, in huge pages
// where the system has them.
#pragma once

#include <cstddef>
#include <span>

namespace sluice {

class ZeroedMemory {
 public:
  explicit ZeroedMemory(size_t bytes);  // throws std::bad_alloc
  ~ZeroedMemory();
  ZeroedMemory(const ZeroedMemory&) = delete;
  ZeroedMemory& operator=(const ZeroedMemory&) = delete;

  void* data() const { return data_; }
  std::span<const std::byte> bytes() const {
    return {static_cast<const std::byte*>(data_), bytes_};
  }

 private:
  void* data_;
  size_t bytes_;
};

}  // namespace sluice
