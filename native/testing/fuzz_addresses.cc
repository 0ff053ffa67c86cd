// SPDX-License-Identifier: Apache-2.0
#include "testing/fuzz_addresses.h"

#include <iterator>

#include "packet/headers.h"

namespace sluice {
namespace {

constexpr uint8_t kHosts[] = {1, 2, 3, 4, 9, 10, 254};
constexpr uint16_t kPorts[] = {80, 53, 8080, 5353, 7777, 9899, 30080, 1024, 1025, 40000, 0};

// What no host may be called, and what nearly looks like it.
AnyAddress special(bool ipv6, uint8_t which) {
  if (!ipv6) {
    const uint32_t addresses[] = {0, ip(127, 0, 0, 1), ip(224, 0, 0, 1), ip(255, 255, 255, 255)};
    return addresses[which % std::size(addresses)];
  }
  const char* const addresses[] = {"::",      "::1",     "ff02::1",           "ff02::1:ff00:1",
                                   "fe80::9", "fe80::1", "fe80::ff:fe00:ee00"};
  return ip6(addresses[which % std::size(addresses)]);
}

}  // namespace

AnyAddress fuzz_address(bool ipv6, FuzzNetwork network, uint8_t host) {
  if (network == FuzzNetwork::special) return special(ipv6, host);
  constexpr uint8_t kBytes[][3] = {{10, 0, 0},  {10, 1, 0},  {10, 2, 0},    {172, 16, 0},
                                   {10, 96, 0}, {192, 0, 2}, {198, 51, 100}};
  const auto& bytes = kBytes[static_cast<uint8_t>(network)];
  if (!ipv6) return ip(bytes[0], bytes[1], bytes[2], host);
  Address address = ip6("fd00::");
  std::memcpy(address.bytes + 2, bytes, sizeof(bytes));
  address.bytes[15] = host;
  return address;
}

AnyAddress fuzz_address(FuzzInput& input, bool ipv6) {
  if (input.rarely(48)) {
    Address any{};
    for (uint8_t& byte : any.bytes) byte = input.byte();
    return ipv6 ? any : Ipv4::general(Ipv4::from(any));
  }
  const auto network = static_cast<FuzzNetwork>(input.below(8));
  return fuzz_address(ipv6, network, input.pick(kHosts));
}

Network fuzz_network(FuzzInput& input) {
  const bool ipv6 = input.rarely(2);
  constexpr uint8_t kLengths[] = {24, 16, 32, 8, 0, 25};
  constexpr uint8_t kLengths6[] = {64, 40, 128, 16, 0, 127};
  const uint8_t length = ipv6 ? input.pick(kLengths6) : input.pick(kLengths);
  AnyAddress address = fuzz_address(input, ipv6);
  const uint32_t kept = ipv6 ? length : 96u + length;
  for (uint32_t bit = kept; bit < 128; bit++) {
    address.bytes[bit / 8] &= static_cast<uint8_t>(~(0x80u >> bit % 8));
  }
  return {address, length};
}

uint16_t fuzz_port(FuzzInput& input) {
  return input.rarely(16) ? input.half() : input.pick(kPorts);
}

uint16_t fuzz_service_port(uint8_t protocol) {
  return protocol == kProtocolTcp    ? 80
         : protocol == kProtocolUdp  ? 53
         : protocol == kProtocolSctp ? 7777
                                     : 0;
}

uint8_t fuzz_protocol(FuzzInput& input, bool ipv6) {
  constexpr uint8_t kGre = 47;
  const uint8_t icmp = ipv6 ? kProtocolIcmpv6 : kProtocolIcmp;
  const uint8_t protocols[] = {kProtocolTcp, kProtocolUdp, kProtocolSctp, icmp};
  if (!input.rarely(24)) return input.pick(protocols);
  const uint8_t others[] = {kGre, ipv6 ? kProtocolIcmp : kProtocolIcmpv6, input.byte()};
  return input.pick(others);
}

}  // namespace sluice
