// SPDX-License-Identifier: Apache-2.0
// Writes deltas of the program row by row, for tests: `Delta().backend(...).pool(...)`.
#pragma once

#include <arpa/inet.h>

#include <algorithm>
#include <initializer_list>
#include <map>
#include <string>
#include <vector>

#include "config/program.h"
#include "table/service_table.h"
#include "testing/rules.h"

namespace sluice {

constexpr uint32_t ip(uint8_t a, uint8_t b, uint8_t c, uint8_t d) {
  return uint32_t{a} << 24 | uint32_t{b} << 16 | uint32_t{c} << 8 | d;
}

inline Address ip6(const char* text) {
  Address address{};
  inet_pton(AF_INET6, text, address.bytes);
  return address;
}

// An address of either family: what `ip` gives, or what `ip6` does.
struct AnyAddress : Address {
  AnyAddress(uint32_t ipv4) : Address(Ipv4::general(be32::from_host(ipv4))) {}
  AnyAddress(const Address& address) : Address(address) {}
};

inline constexpr Address kOnLink{};  // a gateway that is none

struct Network {
  AnyAddress prefix;
  uint8_t length;
};

struct Hop {
  uint16_t interface;
  AnyAddress gateway = kOnLink;
  std::vector<uint8_t> mac = {0, 0, 0, 0, 0, 0};
  uint32_t key = 0;
  uint8_t weight = 1;
};

struct Member {
  uint32_t backend;
  uint16_t weight = 1;
};

inline void append(std::vector<uint8_t>& column, const AnyAddress& address) {
  column.insert(column.end(), address.bytes, address.bytes + sizeof(address.bytes));
}
inline void append(PrefixColumns& table, const Network& network) {
  append(table.prefix, network.prefix);
  table.length.push_back(network.length);
}

// What few frontends have.
struct FrontendExtras {
  FrontendKind kind = FrontendKind::cluster;
  uint32_t service = 0;
  uint8_t masquerade = 0;
  uint32_t affinity = 0;
  std::vector<uint32_t> pools{};  // of the scopes node and outside; empty: the same as of pods
  std::vector<Network> ranges{};
};

// A delta under construction.
struct Delta : ProgramDelta {
  Delta& frontend(uint32_t slot, const AnyAddress& address, uint16_t port, uint8_t protocol,
                  uint32_t pool, const FrontendExtras& extras = {}) {
    frontends.slot.push_back(slot);
    append(frontends.address, address);
    frontends.port.push_back(port);
    frontends.protocol.push_back(protocol);
    frontends.kind.push_back(static_cast<uint8_t>(extras.kind));
    frontends.service.push_back(extras.service);
    frontends.podPool.push_back(pool);
    frontends.nodePool.push_back(extras.pools.empty() ? pool : extras.pools.at(0));
    frontends.outsidePool.push_back(extras.pools.empty() ? pool : extras.pools.at(1));
    frontends.masquerade.push_back(extras.masquerade);
    frontends.affinity.push_back(extras.affinity);
    frontends.rangesFirst.push_back(static_cast<uint32_t>(ranges.length.size()));
    frontends.rangesCount.push_back(static_cast<uint32_t>(extras.ranges.size()));
    for (const Network& range : extras.ranges) append(ranges, range);
    return *this;
  }
  Delta& backend(uint32_t slot, const AnyAddress& address, uint16_t port, uint32_t service = 0,
                 bool flushed = false, uint32_t group = kNoGroup) {
    backends.slot.push_back(slot);
    append(backends.address, address);
    backends.port.push_back(port);
    backends.service.push_back(service);
    backends.flushed.push_back(flushed);
    backends.group.push_back(group);
    return *this;
  }
  Delta& pool(uint32_t slot, const std::vector<Member>& rows, bool silent = false) {
    pools.slot.push_back(slot);
    pools.first.push_back(static_cast<uint32_t>(members.backend.size()));
    pools.count.push_back(static_cast<uint32_t>(rows.size()));
    pools.silent.push_back(silent);
    for (const Member& row : rows) {
      members.backend.push_back(row.backend);
      members.weight.push_back(row.weight);
    }
    return *this;
  }
  Delta& group(uint32_t slot, const std::vector<Hop>& hops) {
    groups.slot.push_back(slot);
    groups.first.push_back(static_cast<uint32_t>(nextHops.interface.size()));
    groups.count.push_back(static_cast<uint32_t>(hops.size()));
    for (const Hop& hop : hops) {
      nextHops.interface.push_back(hop.interface);
      append(nextHops.gateway, hop.gateway);
      nextHops.mac.insert(nextHops.mac.end(), hop.mac.begin(), hop.mac.end());
      nextHops.key.push_back(hop.key);
      nextHops.weight.push_back(hop.weight);
    }
    return *this;
  }
  Delta& route_by(const AnyAddress& prefix, uint8_t length, uint32_t group) {
    append(routes.prefix, prefix);
    routes.length.push_back(length);
    routes.group.push_back(group);
    return *this;
  }
  // With a group of its own, the same one for the same prefix in another delta.
  Delta& route(const AnyAddress& prefix, uint8_t length, uint16_t interface,
               const AnyAddress& gateway = kOnLink,
               const std::vector<uint8_t>& mac = {0, 0, 0, 0, 0, 0}) {
    const uint32_t slot = own_group({prefix, length});
    return group(slot, {{interface, gateway, mac}}).route_by(prefix, length, slot);
  }
  Delta& address(uint16_t interface, const AnyAddress& own, uint8_t length) {
    addresses_given = true;
    addresses.interface.push_back(interface);
    append(addresses.address, own);
    addresses.length.push_back(length);
    return *this;
  }
  Delta& scope(uint16_t interface, uint8_t scope) {
    scopes_given = true;
    scopes.interface.push_back(interface);
    scopes.scope.push_back(scope);
    return *this;
  }
  Delta& pod_network(const Network& network) {
    pod_networks_given = true;
    append(podNetworks, network);
    return *this;
  }
  Delta& service_network(const Network& network) {
    service_networks_given = true;
    append(serviceNetworks, network);
    return *this;
  }
  Delta& source(uint16_t interface, const Network& network) {
    sources_given = true;
    sources.interface.push_back(interface);
    append(sources.prefix, network.prefix);
    sources.length.push_back(network.length);
    return *this;
  }
  // Rules in words (testing/rules.h), numbered from 100 * slot on.
  Delta& rule_set(uint32_t slot, const std::vector<std::string>& texts) {
    ruleSets.slot.push_back(slot);
    ruleSets.first.push_back(static_cast<uint32_t>(rules.selector.size()));
    ruleSets.count.push_back(static_cast<uint32_t>(texts.size()));
    for (const Rule& rule : rules_of(texts, 100 * slot)) {
      rules.selector.push_back(rule.selector);
      rules.protocol.push_back(rule.protocol);
      rules.portFirst.push_back(rule.port_first);
      rules.portLast.push_back(rule.port_last);
      rules.action.push_back(static_cast<uint8_t>(rule.action));
      rules.tier.push_back(static_cast<uint8_t>(rule.tier));
      rules.rule.push_back(rule.number);
    }
    return *this;
  }
  Delta& identity(uint32_t slot, const Identity& identity) {
    identities.slot.push_back(slot);
    identities.ingress.push_back(identity.ingress);
    identities.egress.push_back(identity.egress);
    identities.first.push_back(static_cast<uint32_t>(memberships.selector.size()));
    identities.count.push_back(static_cast<uint32_t>(identity.selectors.size()));
    memberships.selector.insert(memberships.selector.end(), identity.selectors.begin(),
                                identity.selectors.end());
    return *this;
  }
  Delta& identity_network(const Network& network, uint32_t identity) {
    append(identityNetworks.prefix, network.prefix);
    identityNetworks.length.push_back(network.length);
    identityNetworks.identity.push_back(identity);
    return *this;
  }
  // A network of one address.
  Delta& identity_host(const AnyAddress& address, uint32_t identity) {
    return identity_network({address, address.is_ipv4() ? Ipv4::kBits : Ipv6::kBits}, identity);
  }
  Delta& remove_rule_set(uint32_t slot) { return listed(removedRuleSets, slot); }
  Delta& remove_identity(uint32_t slot) { return listed(removedIdentities, slot); }
  Delta& remove_identity_network(const Network& network) {
    append(removedIdentityNetworks, network);
    return *this;
  }
  Delta& remove_frontend(uint32_t slot) { return listed(removedFrontends, slot); }
  Delta& remove_backend(uint32_t slot) { return listed(removedBackends, slot); }
  Delta& remove_pool(uint32_t slot) { return listed(removedPools, slot); }
  Delta& remove_group(uint32_t slot) { return listed(removedGroups, slot); }
  Delta& remove_route(const AnyAddress& prefix, uint8_t length) {
    append(removedRoutes, Network{prefix, length});
    return *this;
  }

 private:
  uint32_t own_group(const Network& network) const {
    static std::map<std::string, uint32_t> slots;
    constexpr uint32_t kFirst = 16;  // those before are the tests'
    std::string name(reinterpret_cast<const char*>(network.prefix.bytes), 16);
    name += static_cast<char>(network.length);
    auto free = static_cast<uint32_t>(kFirst + slots.size());
    const uint32_t slot = slots.emplace(name, free).first->second;
    const auto& mine = groups.slot;
    if (std::find(mine.begin(), mine.end(), slot) == mine.end()) return slot;
    while (std::find(mine.begin(), mine.end(), free) != mine.end()) free++;
    return free;
  }
  Delta& listed(std::vector<uint32_t>& list, uint32_t slot) {
    list.push_back(slot);
    return *this;
  }
};

}  // namespace sluice
