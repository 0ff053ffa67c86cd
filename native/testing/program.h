// SPDX-License-Identifier: Apache-2.0
// The program's state with two interfaces, and a sound program for it, for tests.
#pragma once

#include <doctest/doctest.h>

#include <functional>
#include <initializer_list>
#include <memory>
#include <string>
#include <utility>

#include "config/program_state.h"
#include "packet/headers.h"
#include "testing/delta.h"
#include "testing/eal.h"

namespace sluice {

inline constexpr uint8_t kTestMac[6] = {2, 0, 0, 0, 0, 1};

struct TestProgram {
  TestProgram() : state((start_eal(), limits), up) {
    REQUIRE_FALSE(state.open());
    for (uint16_t slot = 0; slot < 2; slot++) {
      now = state.add_interface(slot, kTestMac, 1500, slot == 1);
      state.settle();
    }
  }
  // Code and path of what is to blame; empty: committed.
  std::string commit(const Delta& delta) {
    if (auto error = state.check(delta)) return error->code + " " + error->path;
    before = std::move(now);
    now = state.build(delta);  // `before` is what it was until the next one
    return "";
  }
  const Frontend<Ipv4>* find(uint32_t address, uint16_t port, uint8_t protocol) const {
    return now->v4.services->find(be32::from_host(address), be16::from_host(port), protocol);
  }
  const Frontend<Ipv6>* find(const char* address, uint16_t port, uint8_t protocol) const {
    return now->v6.services->find(ip6(address), be16::from_host(port), protocol);
  }
  const NextHop* route(uint32_t address) const {
    return hop(now->find_way<Ipv4>(be32::from_host(address), 0));
  }
  const NextHop* route(const char* address) const {
    return hop(now->find_way<Ipv6>(ip6(address), 0));
  }

  Limits limits{.backends = 64, .interfaces = 4, .routes = 8, .timeouts = {}};
  std::atomic<bool> up[4] = {true, true, true, true};
  ProgramState state;
  std::unique_ptr<Snapshot> now, before;

 private:
  const NextHop* hop(const Snapshot::Way& way) const {
    return way.next_hop == kNoNextHop ? nullptr : &now->next_hops[way.next_hop];
  }
};

// Services of both families, three pools, three backends, routes, addresses and policy of both.
inline Delta sound_delta() {
  return Delta()
      .frontend(0, ip(10, 96, 0, 1), 80, kProtocolTcp, 0,
                {.service = 5, .masquerade = 4, .affinity = 60, .ranges = {{ip(10, 0, 0, 0), 8}}})
      .frontend(1, ip(10, 96, 0, 1), 80, kProtocolUdp, 1)
      .frontend(2, ip6("fd00:96::1"), 80, kProtocolTcp, 2,
                {.kind = FrontendKind::external, .pools = {0, 1}})
      .backend(0, ip(10, 244, 0, 1), 8080, 5)
      .backend(1, ip(10, 244, 0, 2), 8080, 5)
      .backend(2, ip6("fd00:244::1"), 8080, 6)
      .pool(0, {{1, 1}, {0, 1}})
      .pool(1, {{0, 0}}, true)
      .pool(2, {{2, 1}})
      .route(ip(10, 244, 0, 0), 16, 1)
      .route(ip(0, 0, 0, 0), 0, 0, ip(10, 0, 0, 254), {2, 0, 0, 0, 0, 9})
      .route(ip6("fd00:244::"), 32, 1)
      .route(ip6("::"), 0, 0, ip6("fe80::1"))
      .address(0, ip(10, 0, 0, 1), 24)
      .address(1, ip(10, 244, 0, 254), 16)
      .address(1, ip6("fd00:244::fe"), 64)
      .address(kNodeAddress, ip(192, 0, 2, 1), 32)
      .scope(1, 1)
      .pod_network({ip(10, 244, 0, 0), 16})
      .service_network({ip6("fd00:96::"), 112})
      .source(1, {ip(10, 244, 0, 0), 16})
      .source(1, {ip6("fd00:244::"), 64})
      .rule_set(0, {"admin deny @3 tcp/1-9", "accept @5", "deny any"})
      .rule_set(1, {"pass any", "baseline deny any udp"})
      .identity(0, {.ingress = 0, .egress = kNoRules, .selectors = {3, 5}})
      .identity(1, {.ingress = kPendingRules, .egress = 1, .selectors = {4}})
      .identity(2, {.selectors = {}})
      .identity_host(ip(10, 244, 0, 1), 0)
      .identity_host(ip6("fd00:244::1"), 1)
      .identity_network({ip(0, 0, 0, 0), 0}, 2);
}

// Something wrong with a sound delta.
struct Fault {
  const char* error;  // code and path
  std::function<void(Delta&)> make;
};

inline void refuses(std::initializer_list<Fault> faults) {
  TestProgram program;
  for (const Fault& fault : faults) {
    Delta delta = sound_delta();
    fault.make(delta);
    INFO(fault.error);
    REQUIRE(program.commit(delta) == fault.error);
  }
  REQUIRE(program.commit(sound_delta()) == "");  // nothing of all that has stayed
  CHECK(program.now->generation == 1);
  CHECK(program.state.sizes().frontends == 3);
}

}  // namespace sluice
