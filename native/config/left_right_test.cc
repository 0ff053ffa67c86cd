// SPDX-License-Identifier: Apache-2.0
#include "config/left_right.h"

#include <doctest/doctest.h>

namespace sluice {

TEST_CASE("readers keep their table until they have been waited for") {
  SlotPair<int> pair;
  CHECK(pair.newest().empty());
  pair.change({2, 7});
  CHECK(pair.newest()[2] == 7);  // at once, for who changes it
  const std::vector<int>& first = pair.publish();
  CHECK(first == std::vector<int>{0, 0, 7});
  pair.settle();

  pair.change({2, 8});
  pair.change({0, 1});
  CHECK(first[2] == 7);
  const std::vector<int>& second = pair.publish();
  CHECK(&second != &first);
  CHECK(second == std::vector<int>{1, 0, 8});
  CHECK(first == std::vector<int>{0, 0, 7});
  pair.settle();
  CHECK(first == second);
  pair.settle();  // nothing is left to do
  CHECK(first == second);
}

TEST_CASE("without a change the same table is shown again") {
  SlotPair<int> pair;
  pair.change({0, 1});
  const std::vector<int>* shown = &pair.publish();
  CHECK(&pair.publish() == shown);
  pair.settle();
  CHECK(&pair.publish() == shown);
  CHECK(&pair.newest() == shown);
}

}  // namespace sluice
