// SPDX-License-Identifier: Apache-2.0
#include "generator/histogram.h"

#include <algorithm>
#include <cmath>

namespace sluice::generator {

uint64_t Histogram::upper_bound(size_t bucket) {
  if (bucket < 128) return bucket + 1;
  const size_t shift = bucket / 64 - 1;
  return uint64_t{bucket % 64 + 65} << shift;
}

uint64_t Histogram::quantile(double share) const {
  const auto wanted = static_cast<uint64_t>(std::ceil(share * static_cast<double>(samples_)));
  uint64_t below = 0;
  for (size_t bucket = 0; bucket < kBuckets; ++bucket) {
    below += buckets_[bucket];
    if (below >= wanted && below > 0) return std::min(upper_bound(bucket), most_);
  }
  return most_;
}

}  // namespace sluice::generator
