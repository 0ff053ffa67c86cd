// SPDX-License-Identifier: Apache-2.0
#include "stage/solicit.h"

#include <cstring>

#include "packet/ipv6_address.h"
#include "packet/neighbour_discovery.h"

namespace sluice {
namespace {

// The first address whose network holds the target. Null: none.
template <class F>
const typename F::Address* address_towards(const typename F::Address& target,
                                           const InterfaceView& view) {
  for (const Prefix<F>& own : view.addresses<F>()) {
    if (own.holds(target)) return &own.address;
  }
  return nullptr;
}

void write_arp_request(Frame& frame, be32 target, const InterfaceView& view) {
  const be32* towards = address_towards<Ipv4>(target, view);
  const be32 sender = towards != nullptr        ? *towards
                      : view.addresses4.empty() ? be32{}
                                                : view.addresses4.front().address;
  auto* ethernet = header_at<EthernetHeader>(frame.data, 0);
  std::memset(ethernet->destination, 0xff, 6);
  std::memcpy(ethernet->source, view.mac, 6);
  ethernet->type = be16::from_host(kEtherTypeArp);
  auto* arp = header_at<ArpHeader>(frame.data, kEthernetBytes);
  arp->hardware = be16::from_host(kArpEthernet);
  arp->protocol = be16::from_host(kEtherTypeIpv4);
  arp->hardware_length = 6;
  arp->protocol_length = 4;
  arp->opcode = be16::from_host(kArpRequest);
  std::memcpy(arp->sender_mac, view.mac, 6);
  arp->sender_address = sender;
  std::memset(arp->target_mac, 0, 6);
  arp->target_address = target;
  frame.length = kArpFrameBytes;
}

void write_solicitation(Frame& frame, const Address& target, const InterfaceView& view) {
  const Address* towards = address_towards<Ipv6>(target, view);
  const uint8_t* last = target.bytes + 13;
  const uint8_t group_mac[6] = {0x33, 0x33, 0xff, last[0], last[1], last[2]};
  write_neighbour_frame(frame.data,
                        {.type = kNeighbourSolicitation,
                         .mac = view.mac,
                         .to_mac = group_mac,
                         .source = towards != nullptr ? *towards : link_local_of(view.mac),
                         .destination = solicited_node(target),
                         .target = target,
                         .flags = 0});
  frame.length = kNeighbourFrameBytes;
}

}  // namespace

void solicit(Neighbour& neighbour, uint16_t interface, const Address& target, Context& context) {
  if (context.snapshot->interfaces[interface].is_layer3()) return;  // nobody hears it there
  if (!neighbour.may_request(context.now_ms)) return;
  Frame frame = context.outside->allocate();
  if (frame.handle == nullptr) return;
  const InterfaceView& view = context.snapshot->interfaces[interface];
  if (Ipv4::holds(target)) {
    write_arp_request(frame, Ipv4::from(target), view);
  } else {
    write_solicitation(frame, target, view);
  }
  frame.interface = interface;
  context.originated.push_back(frame);
  context.counters.add(WorkerCounter::originated, 1);
}

}  // namespace sluice
