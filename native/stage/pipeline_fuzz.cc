// SPDX-License-Identifier: Apache-2.0
// libFuzzer's way in: `npm run fuzz`. Assertions are doctest's, and there is no test case around
// them: the first that fails ends the process, and libFuzzer keeps the input.
#define DOCTEST_CONFIG_IMPLEMENT
#include <doctest/doctest.h>

#include <cstdio>
#include <cstdlib>

#include "testing/fuzz_pipeline.h"

namespace {

void give_up(const doctest::AssertData& data) {
  if (!data.m_failed) return;
  std::fprintf(stderr, "%s:%d: %s is false: %s\n", data.m_file, data.m_line, data.m_expr,
               data.m_decomp.c_str());
  std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static doctest::Context* const context = [] {
    auto* made = new doctest::Context;
    made->setAsDefaultForAssertsOutOfTestCases();
    made->setAssertHandler(give_up);
    return made;
  }();
  (void)context;
  sluice::fuzz_pipeline(data, size);
  return 0;
}
