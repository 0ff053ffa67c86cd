// SPDX-License-Identifier: Apache-2.0
// Theory of operation. A table that cannot be copied cheaply, twice (left-right). Readers have one;
// a change is made in the other one at once, and noted; publish() names that one, and settle()
// repeats what was noted in the first, once its readers have left it. So a commit costs what
// changes, and readers find a table as flat as if it never did. Control thread only.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace sluice {

// `Change` has `void make(Table&) const`.
template <class Table, class Change>
class LeftRight {
 public:
  // With all changes so far.
  const Table& newest() const { return sides_[is_published_ ? shown_ : shown_ ^ 1]; }
  // Precondition: what was published before is settled.
  void change(Change change) {
    change.make(sides_[shown_ ^ 1]);
    changes_.push_back(std::move(change));
    is_published_ = false;
  }
  // The table to read from now on.
  const Table& publish() {
    if (!is_published_) shown_ ^= 1;
    is_published_ = true;
    return sides_[shown_];
  }
  // Precondition: nobody reads the table before the last one that was published.
  void settle() {
    // Gives the memory back, too: the first commit is often a large one.
    for (const Change& change : std::exchange(changes_, {})) change.make(sides_[shown_ ^ 1]);
  }

  // Both, for what is done before there are readers.
  Table (&sides())[2] { return sides_; }

 private:
  Table sides_[2];
  uint32_t shown_ = 0;           // of `sides_`: the one that the newest snapshot names
  bool is_published_ = true;     // nothing has changed since
  std::vector<Change> changes_;  // that the other one has not seen
};

// What a slot of a flat table holds from now on.
template <class T>
struct SlotChange {
  uint32_t slot;
  T value;

  void make(std::vector<T>& table) const {
    if (slot >= table.size()) table.resize(size_t{slot} + 1);
    table[slot] = value;
  }
};

// Values by slot.
template <class T>
using SlotPair = LeftRight<std::vector<T>, SlotChange<T>>;

}  // namespace sluice
