// SPDX-License-Identifier: Apache-2.0
#include "stage/related.h"

#include "packet/extension_headers.h"
#include "packet/l4.h"

namespace sluice {
namespace {

constexpr uint32_t kQuotedL4Bytes = 8;

// Where the L4 header of a quoted packet begins and of what protocol it is. 0: not to be told.
struct QuotedL4 {
  uint32_t offset;
  uint8_t protocol;
};

QuotedL4 find_l4(const Packet& packet, uint32_t at, const Ipv4Header* ip) {
  const uint32_t room = packet.length - at;
  if (room < sizeof(Ipv4Header) || ip->version_ihl >> 4 != 4) return {};
  const uint32_t header = (ip->version_ihl & 0xf) * 4u;
  if (header < sizeof(Ipv4Header) || header > room) return {};
  if (ip->flags_fragment.host() & kIpv4OffsetMask) return {};
  return {at + header, ip->protocol};
}

QuotedL4 find_l4(const Packet& packet, uint32_t at, const Ipv6Header* ip) {
  if (packet.length - at < sizeof(Ipv6Header) || packet.data[at] >> 4 != 6) return {};
  const HeaderChain chain =
      walk_extension_headers(packet.data, ip->next_header, at + sizeof(Ipv6Header), packet.length);
  if (chain.refused) return {};
  if (chain.fragment != nullptr && chain.fragment_offset() != 0) return {};
  return {chain.end, chain.protocol};
}

}  // namespace

template <class F>
Quote<F> read_quote(const Packet& packet) {
  Quote<F> quote{};
  quote.ip_offset = packet.l4_offset + uint32_t{sizeof(IcmpHeader)};
  const auto* ip = header_at<typename Wire<F>::Header>(packet.data, quote.ip_offset);
  const QuotedL4 l4 = find_l4(packet, quote.ip_offset, ip);
  if (l4.offset == 0 || packet.length - l4.offset < kQuotedL4Bytes) return quote;
  quote.l4_offset = l4.offset;
  quote.type = class_of<F>(l4.protocol, packet.data + l4.offset);
  quote.understood = has_flow(quote.type);
  if (!quote.understood) return quote;
  const PortsHeader ports = ports_of<F>(quote.type, packet.data + l4.offset);
  const FiveTuple<F> tuple{ip->source,        ip->destination, ports.source,
                           ports.destination, l4.protocol,     {}};
  quote.turned = tuple.reversed();
  return quote;
}

template <class F>
uint32_t find_related(const Packet& packet, const Context& context) {
  const Quote<F> quote = read_quote<F>(packet);
  if (!quote.understood) return kNoFlow;
  const FlowTable<F>& flows = context.flows<F>();
  const uint32_t index = flows.find(quote.turned, flow_hash(quote.turned));
  if (index == kNoFlow || flows.expired(index, context.now_s)) return kNoFlow;
  const bool concerns = flows.entry(index).key.destination == packet.tuple<F>().destination;
  return concerns ? index : kNoFlow;
}

template <class F>
void follow_related(Packet& packet, Context& context) {
  packet.flow = find_related<F>(packet, context);
  if (packet.flow == kNoFlow) return;
  packet.related = true;
  context.counters.add(WorkerCounter::related, 1);
}

template Quote<Ipv4> read_quote<Ipv4>(const Packet&);
template Quote<Ipv6> read_quote<Ipv6>(const Packet&);
template uint32_t find_related<Ipv4>(const Packet&, const Context&);
template uint32_t find_related<Ipv6>(const Packet&, const Context&);
template void follow_related<Ipv4>(Packet&, Context&);
template void follow_related<Ipv6>(Packet&, Context&);

}  // namespace sluice
