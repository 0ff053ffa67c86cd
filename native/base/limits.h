// SPDX-License-Identifier: Apache-2.0
// Sizes and timeouts of one engine; the twin of EngineOptions in lib/engine/engine.ts, which says
// what each one means. A test holds the defaults together.
#pragma once

#include <cstdint>

namespace sluice {

struct Timeouts {  // seconds
  uint32_t tcp_unreplied = 120;
  uint32_t tcp_syn_received = 60;
  uint32_t tcp_established = 86400;
  uint32_t tcp_close_wait = 3600;
  uint32_t tcp_time_wait = 120;
  uint32_t tcp_closed = 10;
  uint32_t udp_unreplied = 30;
  uint32_t udp_stream = 120;
  uint32_t sctp_unreplied = 30;
  uint32_t sctp_established = 210;
  uint32_t sctp_closed = 10;
  uint32_t icmp = 30;
  uint32_t fragment = 30;
  uint32_t hold = 3;
  uint32_t neighbour_stale = 60;
  uint32_t neighbour_dead = 120;
};

struct Limits {
  uint32_t workers = 1;
  uint32_t flows = 131072;   // IPv4 connections
  uint32_t flows6 = 131072;  // IPv6 connections
  uint32_t affinities = 65536;
  uint32_t backends = 65536;
  uint32_t interfaces = 64;
  uint32_t neighbours = 4096;
  uint32_t routes = 65536;  // of each family
  uint32_t held_per_neighbour = 16;
  uint32_t held_packets = 1024;      // per worker
  uint32_t fragments = 1024;         // datagrams per worker
  uint32_t fragment_packets = 1024;  // per worker
  uint32_t icmp_rate = 1000;         // per worker and second
  uint32_t snat_port_min = 1024;
  uint32_t snat_port_max = 65535;
  bool tcp_pickup = true;
  Timeouts timeouts;
};

inline constexpr uint32_t kMaxBurst = 64;

}  // namespace sluice
