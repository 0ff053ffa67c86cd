// SPDX-License-Identifier: Apache-2.0
#include "testing/bench_world.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include "testing/bench_names.h"
#include "testing/bench_worker.h"
#include "testing/eal.h"

namespace sluice {
namespace {

[[noreturn]] void give_up(const char* what, const std::string& why) {
  std::fprintf(stderr, "the benchmark's world cannot be made: %s %s\n", what, why.c_str());
  std::abort();
}

// Tables as an engine has them by default, or as large as the flows need at a load of 75 %.
uint32_t room_for(uint32_t flows) {
  return std::max(Limits{}.flows, static_cast<uint32_t>(uint64_t{flows} * 4 / 3));
}

Limits limits_for(const BenchOptions& options) {
  const uint32_t backends = options.services * options.endpoints;
  Limits limits;
  limits.workers = options.workers;
  limits.flows = options.version == 4 ? room_for(options.flows) : 1;
  limits.flows6 = options.version == 6 ? room_for(options.flows) : 1;
  limits.backends = std::max(limits.backends, backends);
  limits.interfaces = options.tunnel ? 3 : 2;
  limits.neighbours = std::max(limits.neighbours, backends + 1);
  limits.routes = 64;
  return limits;
}

}  // namespace

BenchWorld::BenchWorld(const BenchOptions& options_)
    : options(options_),
      limits(limits_for(options)),
      layout(CounterLayout::of(limits)),
      flows4(limits.flows, limits.workers, limits.timeouts),
      flows6(limits.flows6, limits.workers, limits.timeouts),
      affinities(limits.affinities),
      neighbours(limits.neighbours),
      state_((start_eal(), limits), up_) {
  if (auto error = state_.open()) give_up("routes", error->message);
  for (uint16_t slot = 0; slot < 2; slot++) {
    snapshot = state_.add_interface(slot, kBenchMacs[slot], 1500, false);
    state_.settle();
  }
  Delta delta;
  add_routes<Ipv4>(delta);
  add_routes<Ipv6>(delta);
  if (options.tunnel) add_tunnel(delta);
  options.version == 4 ? add_services<Ipv4>(delta) : add_services<Ipv6>(delta);
  commit(delta);
  if (options.hops == BenchHops::resolved) {
    options.version == 4 ? learn_neighbours<Ipv4>() : learn_neighbours<Ipv6>();
  }
}

template <class F>
void BenchWorld::add_services(Delta& delta) const {
  for (uint32_t service = 0; service < options.services; service++) {
    std::vector<Member> members;
    for (uint32_t i = 0; i < options.endpoints; i++) {
      const uint32_t backend = service * options.endpoints + i;
      delta.backend(backend, F::general(BenchNames<F>::backend(backend)), kBenchTarget, service);
      members.push_back({backend});
    }
    delta.pool(service, members);
    delta.frontend(service, F::general(BenchNames<F>::service(service)), kBenchPort,
                   options.protocol, service, {.service = service});
  }
}

template <class F>
void BenchWorld::add_routes(Delta& delta) const {
  using Names = BenchNames<F>;
  delta.address(0, Names::up, F::kBits / 4 * 3).address(1, Names::down, F::kBits / 4 * 3);
  auto add = [&](const Network& network, uint16_t interface, const AnyAddress& gateway) {
    if (options.hops == BenchHops::resolved) {
      delta.route(network.prefix, network.length, interface, gateway);
    } else {
      const uint8_t* mac = kBenchPeers[interface];
      delta.route(network.prefix, network.length, interface, kOnLink,
                  {mac[0], mac[1], mac[2], mac[3], mac[4], mac[5]});
    }
  };
  if (!options.tunnel) add(Names::clients, 0, Names::client_gateway);
  add(Names::backends, 1, kOnLink);
  add(Names::others, 1, F::general(Names::backend(0)));
}

// Over the family of the services.
void BenchWorld::add_tunnel(Delta& delta) {
  auto tunnel = std::make_shared<Tunnel>();
  tunnel->slot = kBenchTunnel;
  tunnel->mtu = 1476;
  auto add = [&](auto names) {
    using Names = decltype(names);
    tunnel->local = Names::up;
    tunnel->remote = Names::client_gateway;
    const uint8_t* mac = kBenchPeers[0];
    const uint8_t bits = options.version == 4 ? Ipv4::kBits : Ipv6::kBits;
    delta.route(Names::client_gateway, bits, 0, kOnLink,
                {mac[0], mac[1], mac[2], mac[3], mac[4], mac[5]});
    delta.route(Names::clients.prefix, Names::clients.length, kBenchTunnel, kOnLink,
                {2, 0, 0, 0, 0, 0});
  };
  options.version == 4 ? add(BenchNames<Ipv4>{}) : add(BenchNames<Ipv6>{});
  snapshot = state_.add_interface(kBenchTunnel, kBenchMacs[0], tunnel->mtu, false, tunnel);
  state_.settle();
}

template <class F>
void BenchWorld::learn_neighbours() {
  auto learn = [&](uint16_t interface, const Address& address) {
    Neighbour* neighbour = neighbours.find_or_add(interface, address);
    if (neighbour == nullptr) give_up("neighbours", "are more than there is room for");
    neighbour->learn(kBenchPeers[interface], kBenchNowMs);
  };
  learn(0, BenchNames<F>::client_gateway);
  for (uint32_t i = 0; i < options.services * options.endpoints; i++) {
    learn(1, F::general(BenchNames<F>::backend(i)));
  }
}

void BenchWorld::commit(const Delta& delta) {
  if (auto error = state_.check(delta)) give_up(error->path.c_str(), error->message);
  snapshot = state_.build(delta);
  state_.settle();
}

}  // namespace sluice
