// SPDX-License-Identifier: Apache-2.0
// What a commit of a small change costs the control thread where there is a large program: 10,000
// services of 10 backends each, and 20,000 identities. Check, build, and bringing both tables of
// each pair up to date; not the wait for the workers. Clocks are of one commit.
#include <cstdio>
#include <cstdlib>

#include "config/program_state.h"
#include "packet/headers.h"
#include "testing/bench_clocks.h"
#include "testing/delta.h"
#include "testing/eal.h"

namespace sluice {
namespace {

constexpr uint32_t kServices = 10'000, kEach = 10, kIdentities = 20'000;
constexpr uint32_t kBackends = kServices * kEach;
constexpr uint8_t kMac[6] = {2, 0, 0, 0, 0, 1};

uint32_t address_of_backend(uint32_t backend) { return ip(10, 128, 0, 0) + backend; }

void put_backend(Delta& delta, uint32_t backend, uint16_t port = 8080) {
  delta.backend(backend, address_of_backend(backend), port, backend / kEach);
}

void put_pool(Delta& delta, uint32_t service, uint32_t endpoints = kEach) {
  std::vector<Member> members;
  for (uint32_t i = 0; i < endpoints; i++) members.push_back({(service * kEach + i) % kBackends});
  delta.pool(service, members);
}

void put_frontend(Delta& delta, uint32_t service) {
  delta.frontend(service, ip(10, 0, 0, 0) + service, 80, kProtocolTcp, service % kServices,
                 {.service = service});
}

void put_identity(Delta& delta, uint32_t identity) {
  delta.identity(identity, {.selectors = {identity % 50}});
  delta.identity_host(address_of_backend(identity), identity);
}

struct LargeProgram {
  LargeProgram() : state((start_eal(), limits), up) {
    if (state.open()) std::abort();
    for (uint16_t slot = 0; slot < 2; slot++) {
      snapshot = state.add_interface(slot, kMac, 1500, false);
      state.settle();
    }
    Delta all;
    for (uint32_t backend = 0; backend < kBackends; backend++) put_backend(all, backend);
    for (uint32_t service = 0; service < kServices; service++) {
      put_pool(all, service);
      put_frontend(all, service);
    }
    for (uint32_t identity = 0; identity < kIdentities; identity++) put_identity(all, identity);
    commit(all);
  }
  // As Engine::commit, but for the workers.
  void commit(const Delta& delta) {
    if (auto error = state.check(delta)) {
      std::fprintf(stderr, "%s: %s\n", error->path.c_str(), error->message.c_str());
      std::abort();
    }
    std::unique_ptr<Snapshot> next = state.build(delta);
    snapshot.swap(next);
    state.settle();
  }

  Limits limits{.backends = kBackends + 1, .routes = 64, .timeouts = {}};
  std::atomic<bool> up[64] = {};
  ProgramState state;
  std::unique_ptr<Snapshot> snapshot;
};

// `make(turn)`: the delta of each commit, untimed.
template <class Make>
void add(const char* name, Make make) {
  add_timed(std::string("commit/") + name, [make](benchmark::State& state) {
    LargeProgram program;
    uint32_t turn = 0;
    Delta delta;
    time_whole(
        state, 1, [&] { delta = make(turn++); }, [&] { program.commit(delta); });
  });
}

const bool added = [] {
  add("nothing", [](uint32_t) { return Delta(); });
  add("one_endpoint", [](uint32_t turn) {
    const uint32_t service = turn * 7919 % kServices;
    Delta delta;
    // The last backend of a service becomes another one.
    put_backend(delta, service * kEach + kEach - 1, static_cast<uint16_t>(1 + turn % 60'000));
    put_pool(delta, service);
    return delta;
  });
  add("one_service", [](uint32_t turn) {
    const uint32_t service = kServices + turn % 1'000;
    Delta delta;
    put_pool(delta, service);
    put_frontend(delta, service);
    return delta;
  });
  add("one_identity", [](uint32_t turn) {
    Delta delta;
    put_identity(delta, kIdentities + turn % 1'000);
    return delta;
  });
  add("100_services", [](uint32_t turn) {
    Delta delta;
    for (uint32_t i = 0; i < 100; i++) {
      const uint32_t service = (turn * 100 + i) % kServices;
      for (uint32_t n = 0; n < kEach; n++) {
        put_backend(delta, service * kEach + n, static_cast<uint16_t>(1 + turn % 60'000));
      }
      put_pool(delta, service);
      put_frontend(delta, service);
    }
    return delta;
  });
  add("one_of_5000_endpoints", [](uint32_t turn) {
    Delta delta;
    put_pool(delta, 0, 5'000 + turn % 2);
    return delta;
  });
  return true;
}();

}  // namespace
}  // namespace sluice
