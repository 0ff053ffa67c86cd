// SPDX-License-Identifier: Apache-2.0
#include "table/tunnels.h"

#include <doctest/doctest.h>

#include "testing/delta.h"

namespace sluice {
namespace {

const AnyAddress kHere = ip(192, 0, 2, 1), kThere = ip(192, 0, 2, 2), kElse = ip(198, 51, 100, 9);

struct Table {
  explicit Table(std::vector<Tunnel> list) {
    std::vector<std::shared_ptr<const Tunnel>> shared;
    for (Tunnel& tunnel : list) shared.push_back(std::make_shared<Tunnel>(std::move(tunnel)));
    table = std::make_unique<TunnelTable>(std::move(shared));
  }
  // Slot; -1: none.
  int find(TunnelKind kind, const Address& source, const TunnelLabel& label,
           uint16_t port = 0) const {
    const Tunnel* found = table->ends(kind, kHere, source).find(source, port, label);
    return found == nullptr ? -1 : found->slot;
  }
  bool expects(TunnelKind kind, const Address& source, uint16_t port = 0) const {
    return table->ends(kind, kHere, source).expect(source, port);
  }
  std::unique_ptr<TunnelTable> table;
};

Tunnel gre(uint16_t slot, TunnelKey mode, uint32_t key = 0, bool remote = true) {
  Tunnel tunnel{.slot = slot, .kind = TunnelKind::gre, .key_mode = mode, .key = key, .mtu = 1400};
  tunnel.local = kHere;
  if (remote) tunnel.remote = kThere;
  return tunnel;
}

Tunnel vxlan(uint16_t slot, uint32_t vni, uint16_t port) {
  Tunnel tunnel{.slot = slot, .kind = TunnelKind::vxlan, .vni = vni, .port = port, .mtu = 1300};
  tunnel.local = kHere;
  return tunnel;
}

constexpr TunnelLabel kNoKey{};
constexpr TunnelLabel key(uint32_t number) { return {true, number}; }

}  // namespace

TEST_CASE("of tunnels between the same ends the exact key comes before any key") {
  const Table table({gre(3, TunnelKey::flow), gre(4, TunnelKey::fixed, 7), gre(5, TunnelKey::none),
                     gre(6, TunnelKey::fixed, 7)});
  CHECK(table.find(TunnelKind::gre, kThere, key(7)) == 4);
  CHECK(table.find(TunnelKind::gre, kThere, key(8)) == 3);
  CHECK(table.find(TunnelKind::gre, kThere, kNoKey) == 5);
  CHECK(table.find(TunnelKind::gre, kElse, key(7)) == -1);
  CHECK(table.find(TunnelKind::ipip, kThere, kNoKey) == -1);
  CHECK(table.table->smallest_mtu() == 1400);
}

TEST_CASE("the remote end comes before a tunnel that is open, whichever has the better key") {
  const Table table({gre(1, TunnelKey::fixed, 7, false), gre(2, TunnelKey::flow)});
  CHECK(table.find(TunnelKind::gre, kThere, key(7)) == 2);
  CHECK(table.find(TunnelKind::gre, kElse, key(7)) == 1);
  CHECK(table.find(TunnelKind::gre, kElse, key(8)) == -1);
  CHECK(table.expects(TunnelKind::gre, kElse));
}

TEST_CASE("peers") {
  Tunnel open = gre(1, TunnelKey::none, 0, false);
  open.peers = {{AnyAddress(ip(192, 0, 2, 0)), 96 + 24}, {ip6("2001:db8::"), 32}};
  const Table table({open});
  CHECK(table.find(TunnelKind::gre, kThere, kNoKey) == 1);
  CHECK(table.find(TunnelKind::gre, ip6("2001:db8::9"), kNoKey) == 1);
  CHECK(table.find(TunnelKind::gre, kElse, kNoKey) == -1);
  CHECK_FALSE(table.expects(TunnelKind::gre, kElse));
}

TEST_CASE("VXLAN by port and VNI") {
  const Table table({vxlan(1, 5, 4789), vxlan(2, 6, 4789), vxlan(3, 5, 8472)});
  CHECK(table.find(TunnelKind::vxlan, kElse, key(5), 4789) == 1);
  CHECK(table.find(TunnelKind::vxlan, kElse, key(6), 4789) == 2);
  CHECK(table.find(TunnelKind::vxlan, kElse, key(5), 8472) == 3);
  CHECK(table.find(TunnelKind::vxlan, kElse, key(6), 8472) == -1);
  CHECK(table.table->has_port(8472));
  CHECK_FALSE(table.table->has_port(53));
  CHECK_FALSE(table.expects(TunnelKind::vxlan, kElse, 53));
  CHECK(table.table->smallest_mtu() == 1300);
}

}  // namespace sluice
