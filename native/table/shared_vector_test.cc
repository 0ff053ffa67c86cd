// SPDX-License-Identifier: Apache-2.0
#include "table/shared_vector.h"

#include <doctest/doctest.h>

#include <string>

namespace sluice {

TEST_CASE("a copy shares its values until one of the two is written") {
  SharedVector<std::string> original;
  CHECK(original.size() == 0);
  original.resize(2);
  original.edit(1) = "one";
  SharedVector<std::string> copy = original;
  CHECK(&copy[1] == &original[1]);

  copy.edit(1) = "other";
  CHECK(original[1] == "one");
  CHECK(copy[1] == "other");
  const std::string* mine = &copy[1];
  copy.edit()[0] = "zero";  // nobody shares it any more
  CHECK(&copy[1] == mine);
  CHECK(original[0].empty());
}

TEST_CASE("growing leaves copies as they are") {
  SharedVector<std::string> original;
  original.push_back("zero");
  const SharedVector<std::string> copy = original;
  for (int i = 0; i < 100; i++) original.push_back("more");
  original.resize(200);
  CHECK(original.size() == 200);
  CHECK(original[100] == "more");
  CHECK(std::string(original[0]) == "zero");
  CHECK(copy.size() == 1);
  CHECK(copy[0] == "zero");
  CHECK(copy.end() - copy.begin() == 1);
}

}  // namespace sluice
