// SPDX-License-Identifier: Apache-2.0
// Memory that both sides of a connection see. Whatever is in it may change at any time: the other
// side is not trusted.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "memif/file.h"

namespace sluice::memif {

class Region {
 public:
  // The other side's. Empty: no memory of that size behind the file.
  static std::optional<Region> map(File file, uint64_t size);
  // Ours, zeroed, for the other side to map. Cannot be made shorter by anybody. Empty: no memory.
  static std::optional<Region> create(uint64_t size);
  Region(Region&& other) noexcept;
  Region& operator=(Region&&) = delete;
  ~Region();

  uint8_t* data() const { return data_; }
  uint64_t size() const { return size_; }
  const File& file() const { return file_; }

 private:
  Region(File file, uint8_t* data, uint64_t size);

  File file_;
  uint8_t* data_;
  uint64_t size_;
};

}  // namespace sluice::memif
