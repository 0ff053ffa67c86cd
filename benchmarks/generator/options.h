// SPDX-License-Identifier: Apache-2.0
// What the generator is to do, as benchmarks/rig/traffic.ts describes it. Immutable once read.
#pragma once

#include <array>
#include <cstdint>
#include <stdexcept>
#include <string>

#include "base/family.h"

namespace sluice::generator {

using Mac = std::array<uint8_t, 6>;

struct Attachment {
  enum class Kind { memif, vhost_user };
  Kind kind;
  std::string socket;
  Mac peer_mac;
  Mac mac;
};

struct Population {
  uint8_t family;
  uint8_t protocol;
  uint32_t flows;
  double zipf;  // 0: evenly
  Address clients;
  struct {
    Address base;
    uint32_t count;
    uint16_t port;
  } services;
  struct {
    Address base;
    uint32_t each;
    uint16_t port;
  } backends;
};

struct Run {
  enum class Kind { throughput, latency, setup_udp, setup_tcp, fragments };
  Kind kind;
  uint32_t window = 0;
  bool both = false;              // throughput
  double packets_per_second = 0;  // latency
  uint32_t first = 0;             // setup: the first flow
  uint32_t limit = 0;             // setup: flows after which it ends early
  bool data = false;              // setup_tcp
  uint32_t bytes = 0, mtu = 0;    // fragments
};

struct Traffic {
  int cpu;
  Attachment client, backend;
  Population population;
  uint32_t frame;  // 0: IMIX
  uint16_t burst;
  uint16_t ring;
  Run run;
  double warm_up_seconds, seconds;
  bool proxy;  // else a forwarder
};

// Says which field is wrong, and what would be right.
struct OptionError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

Traffic read_options(const std::string& json);

}  // namespace sluice::generator
