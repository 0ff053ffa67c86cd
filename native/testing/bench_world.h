// SPDX-License-Identifier: Apache-2.0
// What workers share, for benchmarks: a program of any number of services in both families, and the
// tables. Interface 0 is towards clients, 1 towards backends. Ends the process where it cannot be
// made.
#pragma once

#include <atomic>
#include <memory>

#include "config/program_state.h"
#include "stage/context.h"
#include "testing/delta.h"

namespace sluice {

inline constexpr uint8_t kBenchMacs[2][6] = {{2, 0, 0, 0, 0xee, 0}, {2, 0, 0, 0, 0xee, 1}};
inline constexpr uint8_t kBenchPeers[2][6] = {{2, 1, 1, 1, 1, 1}, {2, 2, 2, 2, 2, 2}};

inline constexpr uint16_t kBenchTunnel = 2;

enum class BenchHops : uint8_t {
  given,    // routes have a MAC
  resolved  // each backend is a neighbour, and so is the gateway to the clients
};

struct BenchOptions {
  uint32_t workers = 1;
  uint32_t flows = 1'000;  // of each family; the tables are at most 75 % full with them
  uint32_t services = 1'000;
  uint32_t endpoints = 3;  // of each service
  uint8_t protocol = 17;
  uint8_t version = 4;  // of the services
  BenchHops hops = BenchHops::given;
  bool tunnel = false;  // the way to the clients is a GRE tunnel

  bool operator==(const BenchOptions&) const = default;
};

struct BenchWorld {
  explicit BenchWorld(const BenchOptions& options_);
  BenchWorld(const BenchWorld&) = delete;
  BenchWorld& operator=(const BenchWorld&) = delete;

  const BenchOptions options;
  const Limits limits;
  const CounterLayout layout;
  FlowTable<Ipv4> flows4;
  FlowTable<Ipv6> flows6;
  AffinityTable affinities;
  NeighbourTable neighbours;
  std::unique_ptr<Snapshot> snapshot;

 private:
  template <class F>
  void add_services(Delta& delta) const;
  template <class F>
  void add_routes(Delta& delta) const;
  template <class F>
  void learn_neighbours();
  void commit(const Delta& delta);

  void add_tunnel(Delta& delta);

  std::atomic<bool> up_[3] = {true, true, true};
  ProgramState state_;
};

}  // namespace sluice
