// SPDX-License-Identifier: Apache-2.0
// Theory of operation. Which next hop of a group a flow goes by: rendezvous hashing (Thaler and
// Ravishankar, 1998) of 4,096 buckets. Each bucket belongs to the member that scores best for it,
// so that a member that goes moves its own buckets alone, and one that comes takes its share and no
// more (docs/packet-path.md, "ECMP"). Owners are worked out when the group is put.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "base/mix.h"

namespace sluice {

struct EcmpMember {
  uint32_t key;    // what stands for it, whatever group it is in
  uint8_t weight;  // 1 to 255
};

class EcmpTable {
 public:
  static constexpr uint32_t kBuckets = 4096;

  // 2 to 256 members, which are named by their row.
  explicit EcmpTable(std::span<const EcmpMember> members);

  static uint32_t bucket_of(uint32_t hash) { return mix(hash) >> 20; }
  uint32_t owner(uint32_t bucket) const { return owners_[bucket]; }
  // The member of the best score among those that `is_fit(row)` says yes to; nothing: there is
  // none.
  template <class IsFit>
  std::optional<uint32_t> best(uint32_t bucket, IsFit is_fit) const {
    std::optional<uint32_t> found;
    uint32_t highest = 0;
    for (uint32_t row = 0; row < members_.size(); row++) {
      if (!is_fit(row)) continue;
      const uint32_t score = score_of(members_[row], bucket);
      if (found &&
          (score < highest || (score == highest && members_[row].key >= members_[*found].key))) {
        continue;
      }
      found = row;
      highest = score;
    }
    return found;
  }

 private:
  struct Scored {
    uint32_t key;
    std::vector<uint32_t> seeds;  // one for each unit of weight
  };
  static uint32_t score_of(const Scored& member, uint32_t bucket);

  std::vector<Scored> members_;
  std::vector<uint8_t> owners_;
};

}  // namespace sluice
