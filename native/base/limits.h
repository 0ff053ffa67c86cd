// SPDX-License-Identifier: Apache-2.0
// Sizes and timeouts of one engine; the twin of EngineOptions in lib/engine/engine.ts.
#pragma once

#include <cstdint>

namespace sluice {

struct FlowTimeouts {  // seconds
  uint32_t tcp_unreplied = 60;
  uint32_t tcp_established = 86400;
  uint32_t tcp_close_wait = 3600;
  uint32_t tcp_closed = 10;
  uint32_t udp_unreplied = 30;
  uint32_t udp_stream = 120;
};

struct Limits {
  uint32_t workers = 1;
  uint32_t flows = 131072;  // connections
  uint32_t backends = 65536;
  uint32_t interfaces = 64;
  uint32_t neighbours = 4096;
  uint32_t routes = 65536;
  FlowTimeouts timeouts;
};

inline constexpr uint32_t kMaxBurst = 64;

}  // namespace sluice
