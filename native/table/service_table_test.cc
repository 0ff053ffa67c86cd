// SPDX-License-Identifier: Apache-2.0
#include "table/service_table.h"

#include <doctest/doctest.h>

namespace sluice {

TEST_CASE("an empty table finds nothing") {
  const ServiceTable table({});
  CHECK(table.find(be32::from_host(1), be16::from_host(80), 6) == nullptr);
  CHECK_FALSE(table.has_address(be32::from_host(1)));
  CHECK_FALSE(table.has_address(be32{}));
}

TEST_CASE("address, port and protocol must all match") {
  std::vector<Frontend> rows;
  for (uint32_t i = 0; i < 10000; i++) {
    rows.push_back({be32::from_host(0x0a600000 + i / 2), be16::from_host(80),
                    static_cast<uint8_t>(i % 2 ? 17 : 6), i, i + 7});
  }
  const ServiceTable table(rows);
  for (const Frontend& row : rows) {
    const Frontend* found = table.find(row.address, row.port, row.protocol);
    REQUIRE(found != nullptr);
    REQUIRE(found->slot == row.slot);
    REQUIRE(found->pool == row.pool);
    REQUIRE(table.has_address(row.address));
  }
  const be32 first = rows.front().address;
  CHECK(table.find(first, be16::from_host(81), 6) == nullptr);
  CHECK(table.find(first, be16::from_host(80), 1) == nullptr);
  CHECK(table.find(be32::from_host(0x0a600000 + 5000), be16::from_host(80), 6) == nullptr);
  CHECK_FALSE(table.has_address(be32::from_host(0x0a600000 + 5000)));
}

}  // namespace sluice
