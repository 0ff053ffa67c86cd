// SPDX-License-Identifier: Apache-2.0
// What the fuzzer has found worth keeping, once more, without the fuzzer (corpus/pipeline: made by
// `npm run fuzz`; what once broke is a file there, too).
#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <vector>

#include "testing/fuzz_pipeline.h"

namespace {

TEST_CASE("inputs of the fuzzer's corpus break no rule") {
  size_t files = 0;
  // CTest runs us in the repository's root.
  for (const auto& entry : std::filesystem::directory_iterator("native/stage/corpus/pipeline")) {
    CAPTURE(entry.path().string());
    std::ifstream file(entry.path(), std::ios::binary);
    const std::vector<char> bytes{std::istreambuf_iterator<char>(file), {}};
    sluice::fuzz_pipeline(reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size());
    files++;
  }
  CHECK(files > 0);
}

}  // namespace
