// SPDX-License-Identifier: Apache-2.0
// The small world that fuzzed programs and packets have in common: were addresses and ports left to
// chance, no packet would ever meet a service.
#pragma once

#include "testing/delta.h"
#include "testing/fuzz_input.h"

namespace sluice {

inline constexpr uint32_t kFuzzInterfaces = 4;

// Hosts 1 to 254 of the networks below; `node` ones are on no interface.
enum class FuzzNetwork : uint8_t { outside, pods, host, node, services, external, far, special };

AnyAddress fuzz_address(bool ipv6, FuzzNetwork network, uint8_t host);
// Any of the above, now and then 16 arbitrary bytes.
AnyAddress fuzz_address(FuzzInput& input, bool ipv6);
// Like it, with the host bits gone.
Network fuzz_network(FuzzInput& input);
uint16_t fuzz_port(FuzzInput& input);
// Where the first program's services of the protocol listen.
uint16_t fuzz_service_port(uint8_t protocol);
uint8_t fuzz_protocol(FuzzInput& input, bool ipv6);

}  // namespace sluice
