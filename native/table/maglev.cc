// SPDX-License-Identifier: Apache-2.0
#include "table/maglev.h"

#include <algorithm>
#include <cstring>

#include "base/crc32c.h"
#include "base/mix.h"

namespace sluice {
namespace {

uint32_t table_size(size_t backends) {
  if (backends == 1) return 1;
  if (backends <= 10) return 1'021;
  if (backends <= 40) return 4'099;
  if (backends <= 160) return 16'381;
  if (backends <= 655) return 65'537;
  return 655'373;
}

// Where a backend's permutation stands: `position` is its next place, taken or not.
struct Cursor {
  uint32_t row;
  uint32_t position;
  uint32_t skip;
  uint64_t weight;
  uint64_t target;
};

bool in_order(const MaglevBackend& a, const MaglevBackend& b) {
  const int order = std::memcmp(a.address, b.address, sizeof(a.address));
  return order != 0 ? order < 0 : a.port < b.port;
}

Cursor start(const MaglevBackend& backend, uint32_t row, uint32_t size) {
  const uint8_t port[2] = {static_cast<uint8_t>(backend.port >> 8),
                           static_cast<uint8_t>(backend.port)};
  const uint32_t hash = crc32c(port, 2, crc32c(backend.address, 16));
  const uint32_t skip = size > 1 ? mix(hash ^ 0x9e3779b9) % (size - 1) + 1 : 0;
  return {row, mix(hash) % size, skip, backend.weight, 0};
}

}  // namespace

std::vector<uint32_t> build_maglev(std::span<const MaglevBackend> backends) {
  std::vector<uint32_t> rows;
  uint64_t heaviest = 0;
  for (uint32_t row = 0; row < backends.size(); row++) {
    if (backends[row].weight == 0) continue;
    rows.push_back(row);
    heaviest = std::max<uint64_t>(heaviest, backends[row].weight);
  }
  if (rows.empty()) return {};
  std::stable_sort(rows.begin(), rows.end(),
                   [&](uint32_t a, uint32_t b) { return in_order(backends[a], backends[b]); });

  const uint32_t size = table_size(rows.size());
  std::vector<Cursor> cursors;
  cursors.reserve(rows.size());
  for (uint32_t row : rows) cursors.push_back(start(backends[row], row, size));

  std::vector<uint32_t> table(size);
  // A place is tried many times before it is free: bits stay in the cache, rows do not.
  std::vector<uint64_t> taken(size / 64 + 1);
  uint32_t filled = 0;
  for (uint64_t round = 1; filled < size; round++) {
    for (Cursor& cursor : cursors) {
      if (round * cursor.weight < cursor.target) continue;
      cursor.target += heaviest;
      while ((taken[cursor.position / 64] >> cursor.position % 64 & 1) != 0) {
        cursor.position += cursor.skip;  // both below 2^20: no overflow
        if (cursor.position >= size) cursor.position -= size;
      }
      taken[cursor.position / 64] |= uint64_t{1} << cursor.position % 64;
      table[cursor.position] = cursor.row;
      if (++filled == size) break;
    }
  }
  return table;
}

}  // namespace sluice
