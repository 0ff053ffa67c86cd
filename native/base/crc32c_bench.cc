// SPDX-License-Identifier: Apache-2.0
// CRC32C of a flow's key in either family, and of whole packets as SCTP needs it. Each depends on
// the one before: clocks are its latency.
#include "base/crc32c.h"
#include "testing/bench_clocks.h"

namespace sluice {
namespace {

template <class Hash>
void add(const std::string& name, Hash hash) {
  add_timed("crc32c/" + name, [hash](benchmark::State& state) {
    uint8_t bytes[2'048] = {};
    uint32_t crc = 0;
    time_each(
        state, [] {},
        [&](uint32_t) {
          std::memcpy(bytes, &crc, sizeof(crc));
          benchmark::DoNotOptimize(crc = hash(bytes));
        });
  });
}

const bool added = [] {
  add("bytes:16/inline", [](const uint8_t* bytes) {
    uint64_t words[2];
    std::memcpy(words, bytes, sizeof(words));
    return crc32c_words(words);
  });
  for (const size_t length : {16, 40, 1'480}) {
    add("bytes:" + std::to_string(length),
        [length](const uint8_t* bytes) { return crc32c(bytes, length); });
    add("bytes:" + std::to_string(length) + "/portable",
        [length](const uint8_t* bytes) { return crc32c_portable(bytes, length); });
  }
  add("zeros:1480", [](const uint8_t* bytes) {
    uint32_t crc;
    std::memcpy(&crc, bytes, sizeof(crc));
    return crc32c_zeros(crc, 1'480);
  });
  return true;
}();

}  // namespace
}  // namespace sluice
