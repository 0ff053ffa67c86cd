// SPDX-License-Identifier: Apache-2.0
#include "testing/fuzz_program.h"

#include "packet/burst.h"
#include "packet/headers.h"
#include "testing/fuzz_addresses.h"

namespace sluice {
namespace {

constexpr uint32_t kSlots = 24;
constexpr uint32_t kGroups = 32;  // those that Delta::route gives to the first program among them
constexpr uint32_t kBusyPool = 0, kEmptyPool = 1, kSilentPool = 2;

void add_service(Delta& delta, bool ipv6, uint8_t protocol, uint16_t target) {
  using enum FuzzNetwork;
  const uint16_t port = fuzz_service_port(protocol);
  const auto service = static_cast<uint32_t>(delta.pools.slot.size());
  const auto first = static_cast<uint32_t>(delta.backends.slot.size());
  const uint32_t pool = 3 + service;
  for (uint8_t host = 2; host <= 4; host++) {
    delta.backend(first + host - 2, fuzz_address(ipv6, pods, host), target, service);
  }
  // A pool of one needs no Maglev table to speak of: making one is most of what an input costs.
  const uint16_t second = protocol == kProtocolTcp ? 2 : 0;
  delta.pool(pool, {{first}, {first + 1, second}, {first + 2, 0}});
  const auto frontend = [&](const AnyAddress& address, uint16_t at, const FrontendExtras& extras) {
    delta.frontend(static_cast<uint32_t>(delta.frontends.slot.size()), address, at, protocol, pool,
                   extras);
  };
  frontend(fuzz_address(ipv6, services, 1), port, {.service = service, .masquerade = 0});
  frontend(fuzz_address(ipv6, services, 2), port,
           {.service = service,
            .masquerade = 7,
            .affinity = 10,
            .ranges = {{fuzz_address(ipv6, FuzzNetwork::outside, 0), uint8_t(ipv6 ? 64 : 24)}}});
  frontend(fuzz_address(ipv6, services, 3), port,
           {.service = service, .pools = {kEmptyPool, kSilentPool}});
  if (port == 0) return;
  frontend(fuzz_address(ipv6, FuzzNetwork::outside, 1), 30080,
           {.kind = FrontendKind::node_port, .service = service, .masquerade = 4});
}

void add_frontend(Delta& delta, FuzzInput& input) {
  const bool ipv6 = input.rarely(2);
  const uint8_t protocol = fuzz_protocol(input, ipv6);
  const bool is_echo = protocol == kProtocolIcmp || protocol == kProtocolIcmpv6;
  FrontendExtras extras{.kind = static_cast<FrontendKind>(input.below(3)),
                        .service = input.below(4),
                        .masquerade = static_cast<uint8_t>(input.below(8)),
                        .affinity = input.rarely(3) ? 10u : 0u,
                        .pools = {input.below(8), input.below(8)}};
  for (uint32_t i = input.below(3); i > 0; i--) extras.ranges.push_back(fuzz_network(input));
  const AnyAddress address = fuzz_address(input, ipv6);
  delta.frontend(input.below(kSlots), address, is_echo ? uint16_t{0} : fuzz_port(input), protocol,
                 input.below(8), extras);
}

void add_pool(Delta& delta, FuzzInput& input) {
  std::vector<Member> members(input.below(5));
  const uint32_t first = input.below(kSlots);
  for (uint32_t i = 0; i < members.size(); i++) {
    members[i] = {(first + i) % kSlots, static_cast<uint16_t>(input.below(4))};
  }
  delta.pool(input.below(8), members, input.rarely(2));
}

// One next hop, or now and then several.
void add_group(Delta& delta, FuzzInput& input, uint32_t slot, bool ipv6) {
  std::vector<Hop> hops(input.rarely(3) ? 1 + input.below(3) : 1);
  for (Hop& hop : hops) {
    hop.interface = static_cast<uint16_t>(input.below(kFuzzInterfaces));
    if (input.rarely(2)) hop.gateway = fuzz_address(input, ipv6);
    if (input.rarely(2)) hop.mac = {2, 0, 0, 0, 0xaa, 1};
    hop.key = input.word();
    hop.weight = static_cast<uint8_t>(1 + input.below(3));
  }
  delta.group(slot, hops);
}

void add_route(Delta& delta, FuzzInput& input) {
  const Network network = fuzz_network(input);
  const uint32_t slot = input.below(kGroups);
  if (!input.rarely(4)) add_group(delta, input, slot, !network.prefix.is_ipv4());
  delta.route_by(network.prefix, network.length, slot);
  if (input.rarely(8)) delta.remove_group(input.below(kGroups));
}

// Of a backend; now and then one that is not there, and refused.
uint32_t fuzz_group(FuzzInput& input) { return input.rarely(3) ? input.below(kGroups) : kNoGroup; }

// One of the first program's backends: flushed, or with another port.
void touch_backend(Delta& delta, FuzzInput& input) {
  static const Delta first = fuzz_first_program();
  const size_t row = input.below(first.backends.slot.size());
  AnyAddress address(Address{});
  std::memcpy(address.bytes, &first.backends.address[16 * row], sizeof(address.bytes));
  const bool moves = input.rarely(2);
  delta.backend(first.backends.slot[row], address,
                static_cast<uint16_t>(first.backends.port[row] + moves),
                first.backends.service[row], !moves, fuzz_group(input));
}

void add_row(Delta& delta, FuzzInput& input) {
  const auto interface = static_cast<uint16_t>(input.below(kFuzzInterfaces));
  switch (input.below(14)) {
    case 12:
    case 13:
      return touch_backend(delta, input);
    case 0:
    case 1:
      return add_frontend(delta, input);
    case 2:
    case 3: {
      const AnyAddress address = fuzz_address(input, input.rarely(2));
      delta.backend(input.below(kSlots), address, fuzz_port(input), input.below(4), input.rarely(4),
                    fuzz_group(input));
      return;
    }
    case 4:
      return add_pool(delta, input);
    case 5:
      return add_route(delta, input);
    case 6: {
      const bool ipv6 = input.rarely(2);
      const AnyAddress address = fuzz_address(input, ipv6);
      delta.address(input.rarely(3) ? kNoInterface : interface, address, ipv6 ? 64 : 24);
      return;
    }
    case 7:
      delta.scope(interface, static_cast<uint8_t>(input.below(3)));
      return;
    case 8:
      delta.pod_network(fuzz_network(input));
      return;
    case 9:
      delta.service_network(fuzz_network(input));
      return;
    case 10: {
      const Network network = fuzz_network(input);
      delta.remove_route(network.prefix, network.length);
      return;
    }
    default:
      delta.remove_frontend(input.below(kSlots));
      if (input.rarely(2)) delta.remove_backend(input.below(kSlots));
      if (input.rarely(2)) delta.remove_pool(input.below(8));
  }
}

template <typename T>
void damage_column(std::vector<T>& column, FuzzInput& input) {
  const uint32_t how = input.below(4);
  if (how == 0 || column.empty()) {
    column.resize(input.below(40));
  } else if (how == 1) {
    column.pop_back();
  } else {
    column[input.byte() % column.size()] = static_cast<T>(how == 2 ? input.below(8) : input.word());
  }
}

}  // namespace

Delta fuzz_first_program() {
  using enum FuzzNetwork;
  Delta delta;
  delta.pool(kBusyPool, {}).pool(kEmptyPool, {}).pool(kSilentPool, {}, true);
  for (const bool ipv6 : {false, true}) {
    const uint8_t length = ipv6 ? 64 : 24;
    add_service(delta, ipv6, kProtocolTcp, 8080);
    add_service(delta, ipv6, kProtocolUdp, 5353);
    add_service(delta, ipv6, kProtocolSctp, ipv6 ? 9899 : 7777);
    add_service(delta, ipv6, ipv6 ? kProtocolIcmpv6 : kProtocolIcmp, 0);
    delta.service_network({fuzz_address(ipv6, services, 0), length});
    delta.pod_network({fuzz_address(ipv6, pods, 0), length});
    for (uint16_t slot = 0; slot < 3; slot++) {
      const auto network = static_cast<FuzzNetwork>(slot);
      delta.address(slot, fuzz_address(ipv6, network, 1), length);
      delta.route(fuzz_address(ipv6, network, 0), length, slot);
    }
    delta.address(kNoInterface, fuzz_address(ipv6, node, 1), length);
    delta.route(fuzz_address(ipv6, far, 0), length, 0, fuzz_address(ipv6, outside, 254));
    delta.route(fuzz_address(ipv6, external, 0), length, 0, fuzz_address(ipv6, outside, 254),
                {2, 0, 0, 0, 0xaa, 254});
  }
  return delta.scope(1, 1).scope(2, 2);
}

Delta fuzz_delta(FuzzInput& input) {
  Delta delta;
  for (uint32_t rows = 1 + input.below(8); rows > 0; rows--) add_row(delta, input);
  return delta;
}

void damage_delta(ProgramDelta& delta, FuzzInput& input) {
  uint32_t column = input.below(57);
#define X(table, name, type) \
  if (column-- == 0) damage_column(delta.table.name, input);
#define LIST(table, type) \
  if (column-- == 0) damage_column(delta.table, input);
  SLUICE_PROGRAM_COLUMNS(X, LIST)
#undef X
#undef LIST
  delta.addresses_given |= !delta.addresses.interface.empty();
  delta.scopes_given |= !delta.scopes.interface.empty();
  delta.pod_networks_given |= !delta.podNetworks.length.empty();
  delta.sources_given |= !delta.sources.length.empty();
  delta.service_networks_given |= !delta.serviceNetworks.length.empty();
}

}  // namespace sluice
