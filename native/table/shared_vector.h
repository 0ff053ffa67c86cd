// SPDX-License-Identifier: Apache-2.0
// A vector that copies share until one of them is written; reading it costs what a vector's costs.
// Whoever writes must be the only thread that copies; readers do neither.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "table/shared_slots.h"

namespace sluice {

template <class T>
class SharedVector {
 public:
  const T& operator[](size_t index) const { return view_[index]; }
  size_t size() const { return view_.size(); }
  const T* begin() const { return view_.data(); }
  const T* end() const { return view_.data() + view_.size(); }

  // To write to.
  std::span<T> edit() {
    std::vector<T>& all = own(all_);
    view_ = all;
    return all;
  }
  T& edit(size_t index) { return edit()[index]; }
  void resize(size_t size) {
    own(all_).resize(size);
    view_ = *all_;
  }
  void push_back(T value) {
    own(all_).push_back(std::move(value));
    view_ = *all_;
  }

 private:
  std::shared_ptr<std::vector<T>> all_;
  std::span<const T> view_;  // of `all_`: saves readers a step
};

}  // namespace sluice
