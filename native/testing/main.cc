// SPDX-License-Identifier: Apache-2.0
// main() of every test: doctest's implementation is compiled here, once.
#define DOCTEST_CONFIG_IMPLEMENT_WITH_MAIN
#include <doctest/doctest.h>
