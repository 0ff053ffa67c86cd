// SPDX-License-Identifier: Apache-2.0
#include "table/fragments.h"

#include <doctest/doctest.h>

#include "packet/headers.h"
#include "testing/flows.h"

namespace sluice {
namespace {

constexpr uint32_t kUdpHash = 0xabcd;

struct Table {
  explicit Table(const Limits& limits = {.fragments = 4, .fragment_packets = 8, .timeouts = {}})
      : table(limits, {&released, [this](const Packet& packet, DropReason reason) {
                         dropped.push_back({packet.length, reason});
                       }}) {}

  struct Dropped {
    uint32_t number;
    DropReason reason;
    bool operator==(const Dropped&) const = default;
  };

  std::vector<Packet> released;
  std::vector<Dropped> dropped;
  FragmentTable table;
};

// A fragment of the datagram `identification`; `length` of the frame tells packets apart.
template <class F>
Packet fragment(uint32_t identification, uint32_t offset, uint32_t length, bool more,
                uint32_t number = 0) {
  Packet packet{};
  packet.version = F::kVersion;
  packet.fate = Fate::pending;
  packet.length = number;
  packet.fragment = offset == 0 ? FragmentKind::first : FragmentKind::later;
  packet.range.identification = identification;
  packet.range.offset = offset;
  packet.range.length = length;
  packet.range.more = more;
  packet.range.key_protocol = F::kVersion == 4 ? kProtocolUdp : 0;
  FiveTuple<F>& tuple = packet.tuple<F>();
  tuple.source = test_address<F>(1);
  tuple.destination = test_address<F>(2);
  if (offset == 0) {
    tuple.source_port = be16::from_host(5000);
    tuple.destination_port = be16::from_host(53);
    tuple.protocol = kProtocolUdp;
    packet.type = PacketClass::udp;
    packet.hash = kUdpHash;
  }
  return packet;
}

template <class F>
bool is_complete(const Packet& packet) {
  const FiveTuple<F>& tuple = packet.tuple<F>();
  return packet.fate == Fate::pending && packet.type == PacketClass::udp &&
         packet.hash == kUdpHash && tuple.protocol == kProtocolUdp &&
         tuple.source_port.host() == 5000 && tuple.destination_port.host() == 53 &&
         tuple.source == test_address<F>(1) && tuple.destination == test_address<F>(2);
}

bool is_drop(const Packet& packet, DropReason reason) {
  return packet.fate == Fate::drop && packet.reason == reason;
}

// What becomes of a fragment.
Packet take(Table& table, Packet packet, uint32_t now_s = 0) {
  table.table.take(packet, now_s);
  return packet;
}

}  // namespace

TEST_CASE_TEMPLATE("in order: every fragment knows its ports, and the last one ends the record", F,
                   Ipv4, Ipv6) {
  Table table;
  CHECK(is_complete<F>(take(table, fragment<F>(7, 0, 1480, true))));
  CHECK(table.table.datagrams() == 1);
  CHECK(is_complete<F>(take(table, fragment<F>(7, 1480, 1480, true))));
  CHECK(is_complete<F>(take(table, fragment<F>(7, 2960, 3, false))));
  CHECK(table.table.datagrams() == 0);
  CHECK(table.table.waiting() == 0);
  CHECK(table.released.empty());
}

TEST_CASE_TEMPLATE("the other way round: they wait, and follow in the order of their coming", F,
                   Ipv4, Ipv6) {
  Table table;
  CHECK(take(table, fragment<F>(7, 2960, 3, false, 1)).fate == Fate::held);
  CHECK(take(table, fragment<F>(7, 1480, 1480, true, 2)).fate == Fate::held);
  CHECK(table.table.waiting() == 2);
  CHECK(is_complete<F>(take(table, fragment<F>(7, 0, 1480, true, 3))));
  REQUIRE(table.released.size() == 2);
  CHECK(table.released[0].length == 1);
  CHECK(table.released[1].length == 2);
  CHECK(is_complete<F>(table.released[0]));
  CHECK(is_complete<F>(table.released[1]));
  CHECK(table.table.waiting() == 0);
  CHECK(table.table.datagrams() == 0);
  CHECK(table.dropped.empty());
}

TEST_CASE("datagrams are told apart by all of their key") {
  Table table;
  take(table, fragment<Ipv4>(7, 0, 8, true));
  Packet other = fragment<Ipv4>(7, 8, 8, true);
  other.range.key_protocol = kProtocolTcp;
  CHECK(take(table, other).fate == Fate::held);
  other = fragment<Ipv4>(7, 8, 8, true);
  std::swap(other.tuple4.source, other.tuple4.destination);
  CHECK(take(table, other).fate == Fate::held);
  CHECK(take(table, fragment<Ipv4>(8, 8, 8, true)).fate == Fate::held);
  CHECK(table.table.datagrams() == 4);
  CHECK(is_drop(take(table, fragment<Ipv6>(7, 8, 8, true)), DropReason::fragment_table_full));
  CHECK(take(table, fragment<Ipv4>(7, 8, 8, true)).fate == Fate::pending);
}

TEST_CASE("a copy of a fragment is dropped, and harms nobody") {
  Table table;
  take(table, fragment<Ipv4>(7, 0, 16, true));
  CHECK(is_drop(take(table, fragment<Ipv4>(7, 0, 16, true)), DropReason::fragment_overlap));
  CHECK(take(table, fragment<Ipv4>(7, 16, 8, false)).fate == Fate::pending);
  CHECK(table.table.datagrams() == 0);
}

TEST_CASE("what overlaps spoils the datagram") {
  struct Case {
    const char* what;
    Packet bad;
  };
  // Noted: 16 to 32 (waits), 48 to 64, the last one (waits).
  const Case cases[] = {
      {"overlaps with the begin", fragment<Ipv4>(7, 8, 16, true)},
      {"overlaps with the end", fragment<Ipv4>(7, 24, 16, true)},
      {"lies within", fragment<Ipv4>(7, 16, 8, true)},
      {"covers", fragment<Ipv4>(7, 8, 32, true)},
      {"covers, from the first byte", fragment<Ipv4>(7, 0, 24, true)},
      {"reaches beyond the end", fragment<Ipv4>(7, 64, 8, true)},
      {"is another last one", fragment<Ipv4>(7, 32, 8, false)},
  };
  for (const Case& test : cases) {
    INFO(test.what);
    Table table;
    REQUIRE(take(table, fragment<Ipv4>(7, 16, 16, true, 1)).fate == Fate::held);
    REQUIRE(take(table, fragment<Ipv4>(7, 48, 16, false, 2)).fate == Fate::held);
    CHECK(is_drop(take(table, test.bad), DropReason::fragment_overlap));
    CHECK(table.dropped == std::vector<Table::Dropped>{{1, DropReason::fragment_overlap},
                                                       {2, DropReason::fragment_overlap}});
    CHECK(table.table.waiting() == 0);
    CHECK(table.table.datagrams() == 1);  // to know what comes later
    CHECK(is_drop(take(table, fragment<Ipv4>(7, 0, 8, true)), DropReason::fragment_overlap));
    CHECK(table.released.empty());
  }
}

TEST_CASE("a last fragment that ends before another one spoils the datagram") {
  Table table;
  take(table, fragment<Ipv4>(7, 64, 16, true));
  CHECK(is_drop(take(table, fragment<Ipv4>(7, 16, 16, false)), DropReason::fragment_overlap));
  CHECK(table.dropped.size() == 1);
}

TEST_CASE("no more datagrams, waiting packets and ranges than there may be") {
  Table table({.fragments = 2, .fragment_packets = 3, .timeouts = {}});
  CHECK(take(table, fragment<Ipv4>(1, 8, 8, true)).fate == Fate::held);
  CHECK(take(table, fragment<Ipv4>(2, 8, 8, true)).fate == Fate::held);
  CHECK(is_drop(take(table, fragment<Ipv4>(3, 8, 8, true)), DropReason::fragment_table_full));
  CHECK(take(table, fragment<Ipv4>(2, 16, 8, true)).fate == Fate::held);
  CHECK(is_drop(take(table, fragment<Ipv4>(2, 24, 8, true)), DropReason::fragment_queue_full));
  CHECK(take(table, fragment<Ipv4>(1, 0, 8, true)).fate == Fate::pending);
  CHECK(take(table, fragment<Ipv4>(2, 24, 8, true)).fate == Fate::held);  // was not noted
  for (uint32_t i = 2; i < 128; i++) {
    REQUIRE(take(table, fragment<Ipv4>(1, 8 * i, 8, true)).fate == Fate::pending);
  }
  CHECK(is_drop(take(table, fragment<Ipv4>(1, 1024, 8, false)), DropReason::fragment_queue_full));
}

TEST_CASE("a record without room for what waits is a record") {
  Table table({.fragments = 1, .fragment_packets = 0, .timeouts = {}});
  CHECK(is_drop(take(table, fragment<Ipv4>(1, 8, 8, true)), DropReason::fragment_queue_full));
  CHECK(table.table.datagrams() == 1);
  CHECK(take(table, fragment<Ipv4>(1, 0, 8, true)).fate == Fate::pending);
  CHECK(take(table, fragment<Ipv4>(1, 8, 8, false)).fate == Fate::pending);
  CHECK(table.table.datagrams() == 0);
}

TEST_CASE("time runs out from the first fragment seen on, the oldest first") {
  Table table;
  take(table, fragment<Ipv4>(1, 8, 8, true, 1), 100);
  take(table, fragment<Ipv4>(2, 8, 8, true, 2), 101);
  take(table, fragment<Ipv4>(1, 16, 8, true, 3), 110);
  table.table.expire(129);
  CHECK(table.dropped.empty());
  table.table.expire(130);
  CHECK(table.dropped == std::vector<Table::Dropped>{{1, DropReason::fragment_timeout},
                                                     {3, DropReason::fragment_timeout}});
  CHECK(table.table.datagrams() == 1);
  // A fragment that comes before housekeeping does begins anew.
  CHECK(take(table, fragment<Ipv4>(2, 0, 8, true), 131).fate == Fate::pending);
  CHECK(table.dropped.back() == Table::Dropped{2, DropReason::fragment_timeout});
  CHECK(table.table.datagrams() == 1);
  table.table.expire(160);
  CHECK(table.table.datagrams() == 1);
  table.table.expire(161);
  CHECK(table.table.datagrams() == 0);
  CHECK(table.dropped.size() == 3);
}

TEST_CASE_TEMPLATE("a look tells what would become of a fragment, and changes nothing", F, Ipv4,
                   Ipv6) {
  Table table({.fragments = 2, .fragment_packets = 2, .timeouts = {}});
  auto look = [&](Packet packet, uint32_t now_s = 0) {
    const bool passes = table.table.peek(packet, now_s);
    CHECK(passes == (packet.fate == Fate::pending));
    return packet;
  };
  CHECK(look(fragment<F>(7, 8, 8, true)).fate == Fate::held);
  CHECK(look(fragment<F>(7, 0, 8, true)).fate == Fate::pending);
  CHECK(table.table.datagrams() == 0);

  take(table, fragment<F>(7, 16, 8, true));
  CHECK(look(fragment<F>(7, 8, 8, true)).fate == Fate::held);
  CHECK(is_drop(look(fragment<F>(7, 16, 8, true)), DropReason::fragment_overlap));
  CHECK(is_drop(look(fragment<F>(7, 8, 16, true)), DropReason::fragment_overlap));
  CHECK(table.table.waiting() == 1);  // nothing is spoilt
  take(table, fragment<F>(7, 0, 8, true));
  CHECK(is_complete<F>(look(fragment<F>(7, 8, 8, true), 29)));
  CHECK(look(fragment<F>(7, 8, 8, true), 30).fate == Fate::held);  // would begin anew

  take(table, fragment<F>(8, 8, 8, true), 10);
  CHECK(is_drop(look(fragment<F>(9, 0, 8, true), 10), DropReason::fragment_table_full));
  CHECK(look(fragment<F>(7, 0, 8, true), 30).fate == Fate::pending);  // its own record makes room
  take(table, fragment<F>(8, 16, 8, true), 10);
  CHECK(is_drop(look(fragment<F>(8, 24, 8, true), 10), DropReason::fragment_queue_full));
  CHECK(look(fragment<F>(8, 24, 8, true), 40).fate == Fate::held);       // and for its packets
  CHECK(take(table, fragment<F>(7, 8, 8, true)).fate == Fate::pending);  // was not noted
}

TEST_CASE("what came in by an interface goes with it; the others keep their order") {
  Table table;
  for (uint32_t i = 1; i <= 4; i++) {
    Packet packet = fragment<Ipv4>(7, 8 * i, 8, true, i);
    packet.in_interface = i % 2;
    REQUIRE(take(table, packet).fate == Fate::held);
  }
  table.table.drop_from(1);
  CHECK(table.dropped == std::vector<Table::Dropped>{{1, DropReason::interface_removed},
                                                     {3, DropReason::interface_removed}});
  CHECK(table.table.waiting() == 2);
  take(table, fragment<Ipv4>(7, 0, 8, true));
  REQUIRE(table.released.size() == 2);
  CHECK(table.released[0].length == 2);
  CHECK(table.released[1].length == 4);
}

TEST_CASE("draining gives everything back") {
  Table table;
  for (uint32_t i = 1; i <= 3; i++) take(table, fragment<Ipv6>(i, 8, 8, true, i));
  std::vector<uint32_t> numbers;
  table.table.drain([&](const Packet& packet) { numbers.push_back(packet.length); });
  CHECK(numbers == std::vector<uint32_t>{1, 2, 3});
  CHECK(table.table.waiting() == 0);
  CHECK(table.table.datagrams() == 0);
  CHECK(table.dropped.empty());
  for (uint32_t i = 1; i <= 4; i++) {
    CHECK(take(table, fragment<Ipv4>(i, 8, 8, true)).fate == Fate::held);
  }
}

}  // namespace sluice
