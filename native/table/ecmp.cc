// SPDX-License-Identifier: Apache-2.0
#include "table/ecmp.h"

#include <algorithm>

namespace sluice {
namespace {

constexpr uint32_t kStep = 0x9e3779b9;  // 2^32 divided by the golden ratio

}  // namespace

EcmpTable::EcmpTable(std::span<const EcmpMember> members) : owners_(kBuckets) {
  for (const EcmpMember& member : members) {
    Scored& scored = members_.emplace_back(Scored{member.key, {}});
    for (uint32_t v = 0; v < member.weight; v++) {
      scored.seeds.push_back(mix(member.key + v * kStep));
    }
  }
  for (uint32_t bucket = 0; bucket < kBuckets; bucket++) {
    owners_[bucket] = static_cast<uint8_t>(*best(bucket, [](uint32_t) { return true; }));
  }
}

uint32_t EcmpTable::score_of(const Scored& member, uint32_t bucket) {
  uint32_t highest = 0;
  for (const uint32_t seed : member.seeds) highest = std::max(highest, mix(seed ^ bucket));
  return highest;
}

}  // namespace sluice
