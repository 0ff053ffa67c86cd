// SPDX-License-Identifier: Apache-2.0
#include "table/identities.h"

#include <doctest/doctest.h>

#include <map>
#include <random>

#include "testing/flows.h"

namespace sluice {
namespace {

// Without the bits that the network does not have.
template <class F>
Prefix<F> network_around(const typename F::Address& address, uint8_t length) {
  Address general = F::general(address);
  for (uint32_t bit = length + (128u - F::kBits); bit < 128; bit++) {
    general.bytes[bit / 8] &= static_cast<uint8_t>(~(0x80u >> bit % 8));
  }
  return {F::from(general), length};
}

// The straightforward table.
template <class F>
struct Plain {
  std::vector<std::pair<Prefix<F>, uint32_t>> rows;

  void put(const Prefix<F>& network, uint32_t identity) {
    remove(network);
    rows.emplace_back(network, identity);
  }
  void remove(const Prefix<F>& network) {
    std::erase_if(rows, [&](const auto& row) {
      return row.first.address == network.address && row.first.length == network.length;
    });
  }
  uint32_t lookup(const typename F::Address& address) const {
    uint32_t found = kNoIdentity;
    int longest = -1;
    for (const auto& [network, identity] : rows) {
      if (network.length <= longest || !network.holds(address)) continue;
      longest = network.length;
      found = identity;
    }
    return found;
  }
};

}  // namespace

TEST_CASE_TEMPLATE("the longest network says who it is", F, Ipv4, Ipv6) {
  const auto host = test_address<F>(0x010203);
  const auto all = network_around<F>(host, 0), wide = network_around<F>(host, F::kBits - 24);
  const auto narrow = network_around<F>(host, F::kBits - 8);
  const Prefix<F> single{host, F::kBits};
  IdentityTable<F> table;
  CHECK(table.empty());
  CHECK(table.lookup(host) == kNoIdentity);
  table.remove(single);  // no fault
  table.put(wide, 1);
  CHECK_FALSE(table.empty());
  table.put(narrow, 2);
  table.put(single, 3);
  CHECK(table.lookup(host) == 3);
  CHECK(table.lookup(test_address<F>(0x010204)) == 2);
  CHECK(table.lookup(test_address<F>(0x010304)) == 1);
  CHECK(table.lookup(test_address<F>(0x1010304)) == kNoIdentity);
  table.put(all, 0);
  CHECK(table.lookup(test_address<F>(0x1010304)) == 0);
  CHECK(table.find(narrow) == 2);
  CHECK(table.find({narrow.address, F::kBits}) == kNoIdentity);
  table.put(narrow, 9);
  table.remove(single);
  CHECK(table.lookup(host) == 9);
  table.remove(narrow);
  table.remove(all);
  CHECK(table.lookup(host) == 1);
  table.remove(wide);
  CHECK(table.empty());
}

TEST_CASE_TEMPLATE("it says what a list says, and so do older copies", F, Ipv4, Ipv6) {
  std::mt19937 random(3);
  IdentityTable<F> table;
  Plain<F> plain;
  std::vector<std::pair<IdentityTable<F>, Plain<F>>> copies;
  const uint8_t lengths[] = {F::kBits, F::kBits, F::kBits, F::kBits - 4, F::kBits - 9, 0};
  for (uint32_t n = 0; n < 6000; n++) {
    const uint8_t length = lengths[random() % 6];
    const auto network = network_around<F>(test_address<F>(random() % 1500), length);
    if (random() % 3 == 0) {
      table.remove(network);
      plain.remove(network);
    } else {
      table.put(network, n);
      plain.put(network, n);
    }
    if (n % 1500 == 0) copies.emplace_back(table, plain);
  }
  copies.emplace_back(table, plain);
  for (const auto& [copy, wanted] : copies) {
    for (uint32_t n = 0; n < 1600; n++) {
      const auto address = test_address<F>(n);
      REQUIRE(copy.lookup(address) == wanted.lookup(address));
    }
  }
}

}  // namespace sluice
