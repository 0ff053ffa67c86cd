// SPDX-License-Identifier: Apache-2.0
// Who is who in a benchmark: flows, services and backends by number, in one family.
#pragma once

#include "base/mix.h"
#include "packet/burst.h"
#include "packet/headers.h"
#include "testing/delta.h"

namespace sluice {

inline constexpr uint16_t kBenchPort = 80, kBenchTarget = 8080;

template <class F>
struct BenchNames;

template <>
struct BenchNames<Ipv4> {
  static inline const Network clients{ip(10, 0, 0, 0), 12}, backends{ip(100, 64, 0, 0), 10},
      others{ip(203, 0, 113, 0), 24};
  static inline const AnyAddress up = ip(192, 0, 2, 1), client_gateway = ip(192, 0, 2, 254),
                                 down = ip(198, 51, 100, 1), other = ip(203, 0, 113, 1);
  static be32 client(uint32_t number) { return be32::from_host(ip(10, 0, 0, 0) + number); }
  static be32 service(uint32_t number) { return be32::from_host(ip(172, 16, 0, 0) + number); }
  static be32 backend(uint32_t number) { return be32::from_host(ip(100, 64, 0, 0) + number); }
  static uint32_t backend_number(be32 address) { return address.host() - ip(100, 64, 0, 0); }
};

template <>
struct BenchNames<Ipv6> {
  static inline const Network clients{ip6("2001:db8:a::"), 64}, backends{ip6("2001:db8:b::"), 64},
      others{ip6("2001:db8:c::"), 64};
  static inline const AnyAddress up = ip6("2001:db8:1::1"), client_gateway = ip6("2001:db8:1::fe"),
                                 down = ip6("2001:db8:2::1"), other = ip6("2001:db8:c::1");
  static Address client(uint32_t number) { return numbered(clients.prefix, number); }
  static Address service(uint32_t number) { return numbered(ip6("fd00::"), number); }
  static Address backend(uint32_t number) { return numbered(backends.prefix, number); }
  static uint32_t backend_number(const Address& address) {
    be32 number;
    std::memcpy(&number, address.bytes + 12, sizeof(number));
    return number.host();
  }

 private:
  static Address numbered(Address network, uint32_t number) {
    const be32 last = be32::from_host(number);
    std::memcpy(network.bytes + 12, &last, sizeof(last));
    return network;
  }
};

// The five-tuple of a flow's queries. Flows of different numbers differ, and `mix` spreads them:
// CRC32C is linear, and would put consecutive tuples into buckets more evenly than real ones.
template <class F>
FiveTuple<F> bench_query(uint32_t flow, uint32_t services, uint8_t protocol) {
  const uint32_t spread = mix(flow);
  const auto port = static_cast<uint16_t>(1024 + (spread & 0xfff) * 15);
  return {BenchNames<F>::client(spread >> 12),
          BenchNames<F>::service(mix(flow ^ 0x9e3779b9) % services),
          be16::from_host(port),
          be16::from_host(kBenchPort),
          protocol,
          {}};
}

// And of its replies.
template <class F>
FiveTuple<F> bench_reply(const FiveTuple<F>& query, uint32_t backend) {
  return {BenchNames<F>::backend(backend),
          query.source,
          be16::from_host(kBenchTarget),
          query.source_port,
          query.protocol,
          {}};
}

// To where no service is: routed as it is.
template <class F>
FiveTuple<F> bench_plain(uint32_t flow, uint8_t protocol) {
  FiveTuple<F> tuple = bench_query<F>(flow, 1, protocol);
  tuple.destination = F::from(BenchNames<F>::other);
  return tuple;
}

}  // namespace sluice
