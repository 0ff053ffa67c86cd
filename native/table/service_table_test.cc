// SPDX-License-Identifier: Apache-2.0
#include "table/service_table.h"

#include <doctest/doctest.h>

#include "testing/flows.h"

namespace sluice {
namespace {

template <class F>
Frontend<F> frontend(uint32_t address, uint16_t port, uint8_t protocol, uint32_t slot,
                     FrontendKind kind = FrontendKind::cluster) {
  Frontend<F> made{};
  made.address = test_address<F>(address);
  made.port = be16::from_host(port);
  made.protocol = protocol;
  made.kind = kind;
  made.slot = slot;
  return made;
}

template <class F>
const Frontend<F>* find(const ServiceTable<F>& table, uint32_t address, uint16_t port,
                        uint8_t protocol) {
  return table.find(test_address<F>(address), be16::from_host(port), protocol);
}

}  // namespace

TEST_CASE_TEMPLATE("an empty table finds nothing", F, Ipv4, Ipv6) {
  const ServiceTable<F> table({});
  CHECK(find(table, 1, 80, kProtocolTcp) == nullptr);
  CHECK_FALSE(table.has_cluster_address(test_address<F>(1)));
  CHECK_FALSE(table.has_cluster_address({}));
}

TEST_CASE_TEMPLATE("address, port and protocol must all match", F, Ipv4, Ipv6) {
  constexpr uint32_t kRows = 10'000;
  std::vector<Frontend<F>> rows;
  for (uint32_t i = 0; i < kRows; i++) {
    rows.push_back(frontend<F>(i / 2, 80, i % 2 ? kProtocolUdp : kProtocolTcp, i));
  }
  const ServiceTable<F> table(rows);
  for (const Frontend<F>& row : rows) {
    const Frontend<F>* found = table.find(row.address, row.port, row.protocol);
    REQUIRE(found != nullptr);
    REQUIRE(found->slot == row.slot);
    REQUIRE(table.has_cluster_address(row.address));
  }
  CHECK(find(table, 0, 81, kProtocolTcp) == nullptr);
  CHECK(find(table, 0, 80, kProtocolSctp) == nullptr);
  CHECK(find(table, kRows / 2, 80, kProtocolTcp) == nullptr);
  CHECK_FALSE(table.has_cluster_address(test_address<F>(kRows / 2)));
}

TEST_CASE_TEMPLATE("only a cluster address is one on every port", F, Ipv4, Ipv6) {
  const ServiceTable<F> table({frontend<F>(1, 80, kProtocolTcp, 0, FrontendKind::external),
                               frontend<F>(2, 80, kProtocolTcp, 1, FrontendKind::node_port),
                               frontend<F>(3, 80, kProtocolTcp, 2, FrontendKind::external),
                               frontend<F>(3, 81, kProtocolTcp, 3, FrontendKind::cluster)});
  CHECK(find(table, 1, 80, kProtocolTcp) != nullptr);
  CHECK(find(table, 2, 80, kProtocolTcp) != nullptr);
  CHECK_FALSE(table.has_cluster_address(test_address<F>(1)));
  CHECK_FALSE(table.has_cluster_address(test_address<F>(2)));
  CHECK(table.has_cluster_address(test_address<F>(3)));
}

TEST_CASE_TEMPLATE("source ranges: none for everybody, some for those in one of them", F, Ipv4,
                   Ipv6) {
  constexpr uint8_t kMore = F::kBits - 32;  // test addresses differ in their last 32 bits
  Frontend<F> service = frontend<F>(1, 80, kProtocolTcp, 0);
  CHECK(service.admits(test_address<F>(0x010203)));
  service.ranges = {{test_address<F>(0x010000), 16 + kMore}, {test_address<F>(0x020202), F::kBits}};
  CHECK(service.admits(test_address<F>(0x010203)));
  CHECK(service.admits(test_address<F>(0x020202)));
  CHECK_FALSE(service.admits(test_address<F>(0x020203)));
  service.ranges = {{{}, 0}};
  CHECK(service.admits(test_address<F>(0x020203)));
  service.ranges.clear();
  service.closed = true;
  CHECK_FALSE(service.admits(test_address<F>(0x010203)));
}

TEST_CASE("masquerading is a matter of scope") {
  Frontend<Ipv4> service = frontend<Ipv4>(1, 80, kProtocolTcp, 0);
  service.masquerade = 1 << static_cast<int>(Scope::outside) | 1 << static_cast<int>(Scope::pod);
  CHECK(service.masquerades(Scope::pod));
  CHECK_FALSE(service.masquerades(Scope::node));
  CHECK(service.masquerades(Scope::outside));
}

}  // namespace sluice
