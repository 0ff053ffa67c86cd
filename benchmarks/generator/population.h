// SPDX-License-Identifier: Apache-2.0
// Flows as arithmetic: a flow is a number, and addresses and ports follow from it, so that millions
// of flows need no memory. Addresses of a kind differ in their last 32 bits alone, in both
// families; an address is those 32 bits here.
#pragma once

#include <cstdint>

#include "generator/options.h"

namespace sluice::generator {

inline constexpr uint32_t kClientAddresses = 1 << 16;
inline constexpr uint16_t kFirstClientPort = 1'024;
inline constexpr uint32_t kDistinctFlows = kClientAddresses * (65'536u - kFirstClientPort);
inline constexpr uint16_t kMostBurst = 128;

inline uint32_t low_word(const Address& address) {
  be32 word;
  std::memcpy(&word, address.bytes + 12, sizeof(word));
  return word.host();
}

struct Endpoint {
  uint32_t address;
  uint16_t port;
  bool operator==(const Endpoint&) const = default;
};

// Division by a number that is known only at run time, as two multiplications (Lemire, Kaser,
// Kurz 2019): a `div` per packet would be a fifth of the generator's work.
class Divisor {
 public:
  explicit Divisor(uint32_t divisor) : divisor_(divisor), inverse_(UINT64_MAX / divisor + 1) {}
  uint32_t remainder(uint32_t value) const {
    const uint64_t fraction = inverse_ * value;
    return static_cast<uint32_t>((static_cast<unsigned __int128>(fraction) * divisor_) >> 64);
  }

 private:
  uint32_t divisor_;
  uint64_t inverse_;  // wraps to 0 for 1, whose remainders are 0
};

class Flows {
 public:
  explicit Flows(const Population& population)
      : clients_(low_word(population.clients)),
        services_(low_word(population.services.base)),
        backends_(low_word(population.backends.base)),
        each_(population.backends.each),
        count_(population.services.count),
        service_port_(population.services.port),
        backend_port_(population.backends.port),
        by_service_(count_) {}

  Endpoint client(uint32_t flow) const {
    return {clients_ + flow % kClientAddresses,
            static_cast<uint16_t>(kFirstClientPort + flow / kClientAddresses)};
  }
  uint32_t service_of(uint32_t flow) const { return by_service_.remainder(flow); }
  Endpoint service(uint32_t flow) const { return {services_ + service_of(flow), service_port_}; }
  // The `which`th backend of the flow's service.
  Endpoint backend(uint32_t flow, uint32_t which) const {
    return {backends_ + service_of(flow) * each_ + which, backend_port_};
  }

  // The flow of a client, and which backend of a flow's service; >= the number there are: none.
  uint32_t flow_of(Endpoint client) const {
    const uint32_t address = client.address - clients_;
    if (address >= kClientAddresses || client.port < kFirstClientPort) return UINT32_MAX;
    return (client.port - kFirstClientPort) * kClientAddresses + address;
  }
  uint32_t which_of(uint32_t flow, Endpoint backend) const {
    if (backend.port != backend_port_) return UINT32_MAX;
    return backend.address - backends_ - service_of(flow) * each_;
  }
  uint32_t each() const { return each_; }
  uint32_t services() const { return count_; }

 private:
  uint32_t clients_, services_, backends_;
  uint32_t each_, count_;
  uint16_t service_port_, backend_port_;
  Divisor by_service_;
};

}  // namespace sluice::generator
