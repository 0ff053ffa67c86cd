// SPDX-License-Identifier: Apache-2.0
#include "testing/fuzz_packets.h"

#include <utility>

#include "base/checksum.h"
#include "testing/fuzz_addresses.h"
#include "testing/fuzz_checksums.h"

namespace sluice {
namespace {

using Bytes = std::vector<uint8_t>;

constexpr uint8_t kExtensions[] = {kProtocolHopByHop, kProtocolDestinationOptions, kProtocolRouting,
                                   kProtocolAuthentication};

template <typename Header>
Header* at(Bytes& packet, size_t offset) {
  return offset + sizeof(Header) <= packet.size()
             ? header_at<Header>(packet.data(), static_cast<uint32_t>(offset))
             : nullptr;
}

void append(Bytes& bytes, const Bytes& more) {
  bytes.insert(bytes.end(), more.begin(), more.end());
}

bool is_ipv6(const Bytes& packet) { return packet[0] >> 4 == 6; }

// Offset of what follows the IP header, without regard to extension headers.
size_t header_end(const Bytes& packet) { return is_ipv6(packet) ? 40 : (packet[0] & 0xfu) * 4u; }

bool has_whole_header(const Bytes& packet) {
  return packet.size() >= 40 && header_end(packet) >= 20 && header_end(packet) < packet.size();
}

bool has_ports(uint8_t protocol) {
  return protocol == kProtocolTcp || protocol == kProtocolUdp || protocol == kProtocolSctp;
}

uint8_t& protocol_of(Bytes& packet) { return packet[is_ipv6(packet) ? 6 : 9]; }

AnyAddress address_of(const Bytes& packet, bool destination) {
  if (is_ipv6(packet)) {
    Address address;
    std::memcpy(&address, &packet[destination ? 24 : 8], sizeof(address));
    return address;
  }
  be32 address;
  std::memcpy(&address, &packet[destination ? 16 : 12], sizeof(address));
  return Ipv4::general(address);
}

void write_ip_lengths(Bytes& packet) {
  if (is_ipv6(packet)) {
    at<Ipv6Header>(packet, 0)->payload_length =
        be16::from_host(static_cast<uint16_t>(packet.size() - 40));
    return;
  }
  Ipv4Header& header = *at<Ipv4Header>(packet, 0);
  header.total_length = be16::from_host(static_cast<uint16_t>(packet.size()));
  header.checksum = {};
  header.checksum = full_checksum(packet.data(), header_end(packet));
}

Bytes ip_header(bool ipv6, const AnyAddress& source, const AnyAddress& destination,
                uint8_t protocol, FuzzInput& input) {
  const uint8_t lifetime = input.rarely(16) ? input.byte() : uint8_t{64};
  if (ipv6) {
    const Ipv6Header header{
        be32::from_host(kIpv6Version), {}, protocol, lifetime, source, destination};
    const auto* bytes = reinterpret_cast<const uint8_t*>(&header);
    return Bytes(bytes, bytes + sizeof(header));
  }
  Ipv4Header header{};
  header.version_ihl = 0x45;
  header.ttl = lifetime;
  header.protocol = protocol;
  header.source = Ipv4::from(source);
  header.destination = Ipv4::from(destination);
  const auto* bytes = reinterpret_cast<const uint8_t*>(&header);
  Bytes packet(bytes, bytes + sizeof(header));
  if (input.rarely(12)) {
    const uint32_t words = 1 + input.below(10);
    packet[0] = static_cast<uint8_t>(packet[0] + words);
    packet.resize(packet.size() + 4 * words, 1);
  }
  return packet;
}

Bytes l4_header(bool ipv6, uint8_t protocol, FuzzInput& input) {
  constexpr uint8_t kFlags[] = {
      kTcpSyn, kTcpAck, kTcpSyn | kTcpAck, kTcpFin | kTcpAck, kTcpRst | kTcpAck, kTcpRst, 0x3f};
  constexpr uint8_t kChunks[] = {1, 2, 0, 3, 6, 7, 8, 10, 11, 14};
  Bytes l4(8);
  if (protocol == kProtocolIcmp || protocol == kProtocolIcmpv6) {
    const uint8_t types[] = {uint8_t(ipv6 ? 128 : 8), uint8_t(ipv6 ? 129 : 0),
                             uint8_t(ipv6 ? 1 : 3), input.byte()};
    l4[0] = input.pick(types);
    l4[1] = input.rarely(8) ? input.byte() : uint8_t{0};
    *at<be16>(l4, 4) = be16::from_host(static_cast<uint16_t>(1024 + input.below(3)));
    return l4;
  }
  *at<PortsHeader>(l4, 0) = {be16::from_host(fuzz_port(input)), be16::from_host(fuzz_port(input))};
  if (protocol == kProtocolTcp) {
    l4.resize(sizeof(TcpHeader));
    at<TcpHeader>(l4, 0)->data_offset = input.rarely(16) ? input.byte() : uint8_t{5 << 4};
    at<TcpHeader>(l4, 0)->flags = input.pick(kFlags);
  } else if (protocol == kProtocolSctp) {
    l4.resize(sizeof(SctpHeader));
    at<SctpHeader>(l4, 0)->chunk_type = input.pick(kChunks);
  }
  return l4;
}

// Right, or one of the ways in which it may be wrong or unfinished.
void finish_l4(Bytes& packet, uint8_t protocol, size_t l4, FuzzInput& input) {
  if (protocol == kProtocolUdp) {
    at<UdpHeader>(packet, l4)->length =
        be16::from_host(static_cast<uint16_t>(packet.size() - l4 - (input.rarely(24) ? 1 : 0)));
  }
  write_l4_checksum(packet, protocol, l4);
  const uint32_t how = input.below(12);
  if (how < 9) return;
  if (protocol == kProtocolSctp) {
    at<SctpHeader>(packet, l4)->checksum = {};
  } else if (be16* const field = l4_checksum_field(packet, protocol, l4)) {
    const size_t length = packet.size() - l4;
    *field = how == 9    ? be16{}
             : how == 10 ? be16{fold(l4_pseudo_sum(packet, protocol, length))}
                         : be16{input.half()};
  }
}

// Puts extension headers between the IPv6 header and what follows it.
Bytes with_extensions(const Bytes& packet, FuzzInput& input) {
  Bytes headers;
  uint8_t next = packet[6];
  for (uint32_t i = 1 + input.below(3); i > 0; i--) {
    const uint8_t kind = input.pick(kExtensions);
    Bytes header(kind == kProtocolAuthentication ? 12 : 8);
    header[0] = next;
    header[1] = kind == kProtocolAuthentication ? 1 : 0;
    if (input.rarely(12)) header[1] = input.byte();
    if (kind == kProtocolRouting) header[3] = input.rarely(8) ? 1 : 0;
    append(header, headers);
    headers = std::move(header);
    next = kind;
  }
  Bytes out(packet.begin(), packet.begin() + 40);
  out[6] = next;
  append(out, headers);
  append(out, Bytes(packet.begin() + 40, packet.end()));
  return out;
}

}  // namespace

Bytes fuzz_packet(FuzzInput& input) {
  const bool ipv6 = input.rarely(2);
  const uint8_t protocol = fuzz_protocol(input, ipv6);
  const AnyAddress source = fuzz_address(input, ipv6);
  const bool to_service = input.rarely(2);
  const AnyAddress destination = to_service ? fuzz_address(ipv6, FuzzNetwork::services,
                                                           static_cast<uint8_t>(1 + input.below(3)))
                                            : fuzz_address(input, ipv6);
  Bytes packet = ip_header(ipv6, source, destination, protocol, input);
  const size_t l4 = packet.size();
  append(packet, l4_header(ipv6, protocol, input));
  if (to_service && has_ports(protocol)) {
    at<PortsHeader>(packet, l4)->destination = be16::from_host(fuzz_service_port(protocol));
  }
  constexpr size_t kPayloads[] = {0, 1, 8, 32, 200, 1460, 1600};
  packet.resize(packet.size() + input.pick(kPayloads), 0x5a);
  finish_l4(packet, protocol, l4, input);
  write_ip_lengths(packet);
  if (input.rarely(6)) packet = fuzz_fragment(packet, input);
  if (ipv6 && input.rarely(6)) {
    packet = with_extensions(packet, input);
    write_ip_lengths(packet);
  }
  return packet;
}

Bytes fuzz_neighbour_message(FuzzInput& input) {
  const bool solicits = input.rarely(2);
  const AnyAddress source = fuzz_address(input, true), destination = fuzz_address(input, true);
  Bytes packet = ip_header(true, source, destination, kProtocolIcmpv6, input);
  if (!input.rarely(16)) packet[7] = 255;
  packet.resize(40 + sizeof(NeighbourMessage));
  NeighbourMessage& message = *at<NeighbourMessage>(packet, 40);
  message.type = solicits ? kNeighbourSolicitation : kNeighbourAdvertisement;
  if (input.rarely(16)) message.type = static_cast<uint8_t>(kRouterSolicitation + input.below(5));
  message.target = fuzz_address(input, true);
  for (uint32_t options = input.below(3); options > 0; options--) {
    Bytes option = {static_cast<uint8_t>(1 + input.below(2)), 1, 2, 0, 0, 0, 0xaa};
    option.push_back(input.byte());
    if (input.rarely(16)) option[1] = input.byte();
    append(packet, option);
  }
  if (!input.rarely(16)) write_l4_checksum(packet, kProtocolIcmpv6, 40);
  write_ip_lengths(packet);
  return packet;
}

Bytes fuzz_reply(Bytes packet, FuzzInput& input) {
  if (!has_whole_header(packet)) return packet;
  const size_t size = is_ipv6(packet) ? 16 : 4, first = is_ipv6(packet) ? 8 : 12;
  std::swap_ranges(&packet[first], &packet[first] + size, &packet[first + size]);
  const size_t l4 = header_end(packet);
  const uint8_t protocol = protocol_of(packet);
  if (protocol == kProtocolIcmp || protocol == kProtocolIcmpv6) {
    packet[l4] = protocol == kProtocolIcmp ? uint8_t{0} : uint8_t{129};
  } else if (packet.size() >= l4 + 16) {
    std::swap(at<PortsHeader>(packet, l4)->source, at<PortsHeader>(packet, l4)->destination);
    const Bytes fresh = l4_header(is_ipv6(packet), protocol, input);
    if (protocol == kProtocolTcp && fresh.size() == 20) packet[l4 + 13] = fresh[13];
    if (protocol == kProtocolSctp && fresh.size() == 16) packet[l4 + 12] = fresh[12];
  }
  write_l4_checksum(packet, protocol, l4);
  write_ip_lengths(packet);
  return packet;
}

Bytes fuzz_error(const Bytes& packet, FuzzInput& input) {
  if (!has_whole_header(packet)) return packet;
  const bool ipv6 = is_ipv6(packet);
  constexpr uint8_t kTypes[] = {3, 11, 12}, kTypes6[] = {1, 2, 3, 4};
  const AnyAddress source = input.rarely(2) ? fuzz_address(input, ipv6) : address_of(packet, true);
  const AnyAddress destination =
      input.rarely(12) ? fuzz_address(input, ipv6) : address_of(packet, false);
  const uint8_t protocol = ipv6 ? kProtocolIcmpv6 : kProtocolIcmp;
  Bytes error = ip_header(ipv6, source, destination, protocol, input);
  const size_t l4 = error.size();
  error.resize(l4 + sizeof(IcmpHeader));
  error[l4] = ipv6 ? input.pick(kTypes6) : input.pick(kTypes);
  error[l4 + 1] = static_cast<uint8_t>(input.below(16));
  const size_t quoted =
      std::min(packet.size(), input.rarely(3) ? header_end(packet) + input.below(32) : size_t{548});
  append(error, Bytes(packet.begin(), packet.begin() + static_cast<ptrdiff_t>(quoted)));
  write_l4_checksum(error, protocol, l4);
  write_ip_lengths(error);
  return error;
}

Bytes fuzz_fragment(const Bytes& packet, FuzzInput& input) {
  if (!has_whole_header(packet)) return packet;
  const size_t l4 = header_end(packet), data = packet.size() - l4;
  constexpr uint16_t kOffsets[] = {0, 8, 16, 24, 40, 208, 1024, 65528};
  constexpr size_t kLengths[] = {8, 16, 24, 184, 1, 0, 1400};
  const uint16_t offset = input.pick(kOffsets);
  const size_t length = std::min(data, input.pick(kLengths));
  const bool more = input.rarely(2);
  const auto identification = static_cast<uint16_t>(input.below(3));
  const size_t begin = l4 + std::min<size_t>(offset, data - length);
  const Bytes piece(packet.begin() + static_cast<ptrdiff_t>(begin),
                    packet.begin() + static_cast<ptrdiff_t>(begin + length));
  Bytes out(packet.begin(), packet.begin() + static_cast<ptrdiff_t>(l4));
  if (is_ipv6(packet)) {
    const FragmentHeader header{out[6], 0, be16::from_host(static_cast<uint16_t>(offset | more)),
                                be32::from_host(identification)};
    const auto* bytes = reinterpret_cast<const uint8_t*>(&header);
    out[6] = kProtocolFragment;
    append(out, Bytes(bytes, bytes + sizeof(header)));
  } else {
    Ipv4Header& header = *at<Ipv4Header>(out, 0);
    header.identification = be16::from_host(identification);
    header.flags_fragment =
        be16::from_host(static_cast<uint16_t>(offset / 8 | (more ? kIpv4MoreFragments : 0)));
  }
  append(out, piece);
  write_ip_lengths(out);
  return out;
}

Bytes fuzz_variant(Bytes packet, uint16_t number) {
  if (!has_whole_header(packet)) return packet;
  const size_t l4 = header_end(packet);
  const uint8_t protocol = protocol_of(packet);
  // An echo's identifier, and everybody else's source port.
  const bool is_icmp = protocol == kProtocolIcmp || protocol == kProtocolIcmpv6;
  if (!is_icmp && !has_ports(protocol)) return packet;
  be16* const field = at<be16>(packet, is_icmp ? l4 + 4 : l4);
  if (!field) return packet;
  *field = be16::from_host(static_cast<uint16_t>(field->host() + number));
  write_l4_checksum(packet, protocol, l4);
  return packet;
}

}  // namespace sluice
