// SPDX-License-Identifier: Apache-2.0
#include "testing/eal.h"

#include <rte_eal.h>

#include <cstdio>
#include <cstdlib>
#include <iterator>

namespace sluice {

void start_eal() {
  static const bool started = [] {
    const char* arguments[] = {"test", "--no-huge",      "--no-pci",    "--no-shconf",  "-m",
                               "1024", "--no-telemetry", "--log-level", "lib.eal:error"};
    char* writable[std::size(arguments)];
    for (size_t i = 0; i < std::size(arguments); i++) {
      writable[i] = const_cast<char*>(arguments[i]);
    }
    return rte_eal_init(static_cast<int>(std::size(arguments)), writable) >= 0;
  }();
  if (started) return;
  std::fprintf(stderr, "the EAL does not start\n");
  std::abort();
}

}  // namespace sluice
