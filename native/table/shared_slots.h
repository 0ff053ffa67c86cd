// SPDX-License-Identifier: Apache-2.0
// Theory of operation. Values by slot, of which there may be many while a commit changes few. A
// copy shares everything with its original; writing makes those parts one's own that others share:
// a chunk of slots, and the list of chunks. Values are immutable. Whoever writes must be the only
// thread that copies; readers do neither.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

namespace sluice {

// Makes what `part` points to the caller's own, and there.
template <class T>
T& own(std::shared_ptr<T>& part) {
  if (part == nullptr) {
    part = std::make_shared<T>();
  } else if (part.use_count() > 1) {
    part = std::make_shared<T>(*part);
  }
  return *part;
}

template <class T>
class SharedSlots {
 public:
  // Null: the slot is empty.
  const T* find(uint32_t slot) const {
    const size_t number = slot / kChunk;
    if (chunks_ == nullptr || number >= chunks_->size()) return nullptr;
    const Chunk* chunk = (*chunks_)[number].get();
    return chunk == nullptr ? nullptr : (*chunk)[slot % kChunk].get();
  }
  // Null empties the slot.
  void put(uint32_t slot, std::shared_ptr<const T> value) {
    std::vector<std::shared_ptr<Chunk>>& chunks = own(chunks_);
    const size_t number = slot / kChunk;
    if (number >= chunks.size()) chunks.resize(number + 1);
    own(chunks[number])[slot % kChunk] = std::move(value);
  }

 private:
  static constexpr uint32_t kChunk = 64;
  using Chunk = std::array<std::shared_ptr<const T>, kChunk>;

  std::shared_ptr<std::vector<std::shared_ptr<Chunk>>> chunks_;
};

}  // namespace sluice
