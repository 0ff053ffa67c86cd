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

template <class F>
ServiceTable<F> table_of(const std::vector<Frontend<F>>& frontends) {
  ServiceTable<F> table;
  for (const Frontend<F>& each : frontends) table.put(each);
  return table;
}

template <class F>
void remove(ServiceTable<F>& table, const Frontend<F>& frontend) {
  table.remove(frontend.address, frontend.port, frontend.protocol);
}

}  // namespace

TEST_CASE_TEMPLATE("an empty table finds nothing", F, Ipv4, Ipv6) {
  const ServiceTable<F> table;
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
  const ServiceTable<F> table = table_of(rows);
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
  const ServiceTable<F> table =
      table_of<F>({frontend<F>(1, 80, kProtocolTcp, 0, FrontendKind::external),
                   frontend<F>(2, 80, kProtocolTcp, 1, FrontendKind::node_port),
                   frontend<F>(3, 80, kProtocolTcp, 2, FrontendKind::external),
                   frontend<F>(3, 81, kProtocolTcp, 3, FrontendKind::cluster)});
  CHECK(find(table, 1, 80, kProtocolTcp) != nullptr);
  CHECK(find(table, 2, 80, kProtocolTcp) != nullptr);
  CHECK_FALSE(table.has_cluster_address(test_address<F>(1)));
  CHECK_FALSE(table.has_cluster_address(test_address<F>(2)));
  CHECK(table.has_cluster_address(test_address<F>(3)));
}

TEST_CASE_TEMPLATE("an address is a cluster's until its last cluster frontend goes", F, Ipv4,
                   Ipv6) {
  const Frontend<F> web = frontend<F>(1, 80, kProtocolTcp, 0);
  const Frontend<F> metrics = frontend<F>(1, 81, kProtocolTcp, 1);
  const Frontend<F> other = frontend<F>(1, 82, kProtocolTcp, 2, FrontendKind::external);
  ServiceTable<F> table = table_of<F>({web, metrics, other});
  remove(table, web);
  CHECK(find(table, 1, 80, kProtocolTcp) == nullptr);
  CHECK(table.has_cluster_address(web.address));
  remove(table, metrics);
  CHECK_FALSE(table.has_cluster_address(web.address));
  CHECK(find(table, 1, 82, kProtocolTcp)->slot == 2);
  table.put(web);
  CHECK(table.has_cluster_address(web.address));
  CHECK(find(table, 1, 80, kProtocolTcp)->slot == 0);
}

TEST_CASE_TEMPLATE("what comes and goes in any order leaves what is there, and only that", F, Ipv4,
                   Ipv6) {
  constexpr uint32_t kRows = 512;
  ServiceTable<F> table;
  std::vector<bool> there(kRows);
  uint32_t size = 0, random = 1;
  for (uint32_t turn = 0; turn < 20'000; turn++) {
    random = random * 1'664'525 + 1'013'904'223;
    const uint32_t row = (random >> 16) % kRows;
    // Three ports share an address.
    const Frontend<F> each = frontend<F>(row / 3, static_cast<uint16_t>(row), kProtocolUdp, row);
    if (there[row]) {
      remove(table, each);
    } else {
      table.put(each);
    }
    there[row] = !there[row];
    size += there[row] ? 1 : UINT32_MAX;
    if (turn % 100 != 0) continue;
    REQUIRE(table.frontends().size() == size);
    for (uint32_t i = 0; i < kRows; i++) {
      const Frontend<F>* found = find(table, i / 3, static_cast<uint16_t>(i), kProtocolUdp);
      REQUIRE((found != nullptr) == there[i]);
      REQUIRE((found == nullptr || found->slot == i));
      const uint32_t first = i / 3 * 3;
      const bool any = there[first] || (first + 1 < kRows && there[first + 1]) ||
                       (first + 2 < kRows && there[first + 2]);
      REQUIRE(table.has_cluster_address(test_address<F>(i / 3)) == any);
    }
  }
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
