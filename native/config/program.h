// SPDX-License-Identifier: Apache-2.0
// One change of the program, as it comes over the boundary: the twin of ProgramDelta in
// lib/compile/program.ts, column by column. A test holds the two lists together. The rules that a
// delta must keep: docs/program.md.
#pragma once

#include <cstdint>
#include <vector>

namespace sluice {

// X(table, column, element type)
#define SLUICE_PROGRAM_COLUMNS(X, LIST)       \
  X(frontends, slot, uint32_t)                \
  X(frontends, address, uint8_t)              \
  X(frontends, port, uint16_t)                \
  X(frontends, protocol, uint8_t)             \
  X(frontends, kind, uint8_t)                 \
  X(frontends, service, uint32_t)             \
  X(frontends, podPool, uint32_t)             \
  X(frontends, nodePool, uint32_t)            \
  X(frontends, outsidePool, uint32_t)         \
  X(frontends, masquerade, uint8_t)           \
  X(frontends, affinity, uint32_t)            \
  X(frontends, rangesFirst, uint32_t)         \
  X(frontends, rangesCount, uint32_t)         \
  X(ranges, prefix, uint8_t)                  \
  X(ranges, length, uint8_t)                  \
  LIST(removedFrontends, uint32_t)            \
  X(backends, slot, uint32_t)                 \
  X(backends, address, uint8_t)               \
  X(backends, port, uint16_t)                 \
  X(backends, service, uint32_t)              \
  X(backends, flushed, uint8_t)               \
  X(backends, group, uint32_t)                \
  LIST(removedBackends, uint32_t)             \
  X(pools, slot, uint32_t)                    \
  X(pools, first, uint32_t)                   \
  X(pools, count, uint32_t)                   \
  X(pools, silent, uint8_t)                   \
  X(members, backend, uint32_t)               \
  X(members, weight, uint16_t)                \
  LIST(removedPools, uint32_t)                \
  X(groups, slot, uint32_t)                   \
  X(groups, first, uint32_t)                  \
  X(groups, count, uint32_t)                  \
  X(nextHops, interface, uint16_t)            \
  X(nextHops, gateway, uint8_t)               \
  X(nextHops, mac, uint8_t)                   \
  X(nextHops, key, uint32_t)                  \
  X(nextHops, weight, uint8_t)                \
  LIST(removedGroups, uint32_t)               \
  X(routes, prefix, uint8_t)                  \
  X(routes, length, uint8_t)                  \
  X(routes, group, uint32_t)                  \
  X(removedRoutes, prefix, uint8_t)           \
  X(removedRoutes, length, uint8_t)           \
  X(addresses, interface, uint16_t)           \
  X(addresses, address, uint8_t)              \
  X(addresses, length, uint8_t)               \
  X(scopes, interface, uint16_t)              \
  X(scopes, scope, uint8_t)                   \
  X(podNetworks, prefix, uint8_t)             \
  X(podNetworks, length, uint8_t)             \
  X(serviceNetworks, prefix, uint8_t)         \
  X(serviceNetworks, length, uint8_t)         \
  X(sources, interface, uint16_t)             \
  X(sources, prefix, uint8_t)                 \
  X(sources, length, uint8_t)                 \
  X(ruleSets, slot, uint32_t)                 \
  X(ruleSets, first, uint32_t)                \
  X(ruleSets, count, uint32_t)                \
  X(rules, selector, uint32_t)                \
  X(rules, protocol, uint8_t)                 \
  X(rules, portFirst, uint16_t)               \
  X(rules, portLast, uint16_t)                \
  X(rules, action, uint8_t)                   \
  X(rules, tier, uint8_t)                     \
  X(rules, rule, uint32_t)                    \
  LIST(removedRuleSets, uint32_t)             \
  X(identities, slot, uint32_t)               \
  X(identities, ingress, uint32_t)            \
  X(identities, egress, uint32_t)             \
  X(identities, first, uint32_t)              \
  X(identities, count, uint32_t)              \
  X(memberships, selector, uint32_t)          \
  LIST(removedIdentities, uint32_t)           \
  X(identityNetworks, prefix, uint8_t)        \
  X(identityNetworks, length, uint8_t)        \
  X(identityNetworks, identity, uint32_t)     \
  X(removedIdentityNetworks, prefix, uint8_t) \
  X(removedIdentityNetworks, length, uint8_t)

// `addresses.interface` of an address that belongs to the node and to no interface.
inline constexpr uint16_t kNodeAddress = UINT16_MAX;
// Next hops that a group may have.
inline constexpr uint32_t kMaxGroup = 64;
// `backends.group`: the backend is what packets are addressed to.
inline constexpr uint32_t kNoGroup = UINT32_MAX;

struct PrefixColumns {
  std::vector<uint8_t> prefix, length;
};

struct ProgramDelta {
  struct {
    std::vector<uint32_t> slot;
    std::vector<uint8_t> address;
    std::vector<uint16_t> port;
    std::vector<uint8_t> protocol, kind;
    std::vector<uint32_t> service, podPool, nodePool, outsidePool;
    std::vector<uint8_t> masquerade;
    std::vector<uint32_t> affinity, rangesFirst, rangesCount;
  } frontends;
  PrefixColumns ranges;
  std::vector<uint32_t> removedFrontends;
  struct {
    std::vector<uint32_t> slot;
    std::vector<uint8_t> address;
    std::vector<uint16_t> port;
    std::vector<uint32_t> service;
    std::vector<uint8_t> flushed;
    std::vector<uint32_t> group;
  } backends;
  std::vector<uint32_t> removedBackends;
  struct {
    std::vector<uint32_t> slot, first, count;
    std::vector<uint8_t> silent;
  } pools;
  struct {
    std::vector<uint32_t> backend;
    std::vector<uint16_t> weight;
  } members;
  std::vector<uint32_t> removedPools;
  struct {
    std::vector<uint32_t> slot, first, count;
  } groups;
  struct {
    std::vector<uint16_t> interface;
    std::vector<uint8_t> gateway, mac;
    std::vector<uint32_t> key;
    std::vector<uint8_t> weight;
  } nextHops;
  std::vector<uint32_t> removedGroups;
  struct {
    std::vector<uint8_t> prefix, length;
    std::vector<uint32_t> group;
  } routes;
  PrefixColumns removedRoutes;
  struct {
    std::vector<uint16_t> interface;
    std::vector<uint8_t> address, length;
  } addresses;
  struct {
    std::vector<uint16_t> interface;
    std::vector<uint8_t> scope;
  } scopes;
  PrefixColumns podNetworks, serviceNetworks;
  struct {
    std::vector<uint16_t> interface;
    std::vector<uint8_t> prefix, length;
  } sources;
  struct {
    std::vector<uint32_t> slot, first, count;
  } ruleSets;
  struct {
    std::vector<uint32_t> selector;
    std::vector<uint8_t> protocol;
    std::vector<uint16_t> portFirst, portLast;
    std::vector<uint8_t> action, tier;
    std::vector<uint32_t> rule;
  } rules;
  std::vector<uint32_t> removedRuleSets;
  struct {
    std::vector<uint32_t> slot, ingress, egress, first, count;
  } identities;
  struct {
    std::vector<uint32_t> selector;
  } memberships;
  std::vector<uint32_t> removedIdentities;
  struct {
    std::vector<uint8_t> prefix, length;
    std::vector<uint32_t> identity;
  } identityNetworks;
  PrefixColumns removedIdentityNetworks;
  // False: the table stays as it is.
  bool addresses_given = false;
  bool scopes_given = false;
  bool pod_networks_given = false;
  bool service_networks_given = false;
  bool sources_given = false;
};

}  // namespace sluice
