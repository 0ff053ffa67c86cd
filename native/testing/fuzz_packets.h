// SPDX-License-Identifier: Apache-2.0
// IP packets from a fuzzer's input. Checksums are right unless the input says otherwise.
#pragma once

#include <cstdint>
#include <vector>

#include "packet/headers.h"
#include "testing/fuzz_input.h"

namespace sluice {

// Of any protocol between any two addresses, whole or a fragment, with options now and then.
std::vector<uint8_t> fuzz_packet(FuzzInput& input);
std::vector<uint8_t> fuzz_neighbour_message(FuzzInput& input);

// What the receiver of `packet` may send back: source and destination exchanged.
std::vector<uint8_t> fuzz_reply(std::vector<uint8_t> packet, FuzzInput& input);
// An ICMP error that quotes it.
std::vector<uint8_t> fuzz_error(const std::vector<uint8_t>& packet, FuzzInput& input);
// The same of another connection.
std::vector<uint8_t> fuzz_variant(std::vector<uint8_t> packet, uint16_t number);
// A piece of it.
std::vector<uint8_t> fuzz_fragment(const std::vector<uint8_t>& packet, FuzzInput& input);

}  // namespace sluice
