// SPDX-License-Identifier: Apache-2.0
// Counts of durations in buckets whose bounds are at most 2 % apart: 64 to each power of two, and
// below 64 clocks one each.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

namespace sluice::generator {

class Histogram {
 public:
  static constexpr size_t kBuckets = 64 * 35;  // up to 2^40 clocks

  void add(uint64_t clocks) {
    ++buckets_[bucket_of(clocks)];
    ++samples_;
    if (clocks < least_) least_ = clocks;
    if (clocks > most_) most_ = clocks;
  }

  uint64_t samples() const { return samples_; }
  uint64_t least() const { return samples_ ? least_ : 0; }
  uint64_t most() const { return most_; }
  // Upper bound of the bucket that the share of the samples reaches into.
  uint64_t quantile(double share) const;
  uint64_t count(size_t bucket) const { return buckets_[bucket]; }
  static uint64_t upper_bound(size_t bucket);

 private:
  static constexpr unsigned kBits = 6;

  static size_t bucket_of(uint64_t clocks) {
    if (clocks < 64) return clocks;
    const auto shift = static_cast<unsigned>(std::bit_width(clocks)) - kBits - 1;
    const size_t bucket = 64 * shift + (clocks >> shift);
    return bucket < kBuckets ? bucket : kBuckets - 1;
  }

  std::array<uint64_t, kBuckets> buckets_{};
  uint64_t samples_ = 0, least_ = UINT64_MAX, most_ = 0;
};

}  // namespace sluice::generator
