// SPDX-License-Identifier: Apache-2.0
#include "stage/encap.h"

#include "base/mix.h"
#include "packet/headers.h"
#include "stage/interface_sums.h"
#include "stage/own_frames.h"
#include "stage/tx.h"

namespace sluice {
namespace {

bool give_up(const Frame& frame, DropReason reason, Context& context) {
  drop_frame(context, frame, reason);
  return false;
}

// True: it is to be sent.
bool send_by(const Tunnel& tunnel, Frame& frame, InterfaceSums& sent, Context& context) {
  if (!tunnel.has_remote()) return give_up(frame, DropReason::tunnel_no_remote, context);
  if (!context.outside->make_room(frame, kOuterRoom)) {
    return give_up(frame, DropReason::tx_full, context);
  }
  sent.add(tunnel.slot, frame.length);
  const uint32_t entropy = mix(frame.hash);
  const Underlays::Way& way = context.underlays.towards(tunnel, entropy, context);
  write_outer(frame, tunnel, way.header, entropy);
  if (frame.length - kEthernetBytes <= way.mtu) [[likely]] {
    frame.interface = way.interface;
    return true;
  }
  const OwnWay slow = find_own_way(frame, OwnFrame::carrier, context);
  if (slow.verdict == OwnWay::Verdict::refused) return give_up(frame, slow.reason, context);
  return slow.verdict == OwnWay::Verdict::send;
}

}  // namespace

uint32_t encapsulate(Frame* frames, uint32_t count, Context& context) {
  const auto& interfaces = context.snapshot->interfaces;
  InterfaceSums sent(context.counters, InterfaceCounter::tx_packets, InterfaceCounter::tx_bytes);
  uint32_t kept = 0;
  for (uint32_t i = 0; i < count; i++) {
    const Tunnel* tunnel = interfaces[frames[i].interface].tunnel.get();
    if (tunnel != nullptr && !send_by(*tunnel, frames[i], sent, context)) continue;
    if (kept != i) frames[kept] = frames[i];
    kept++;
  }
  return kept;
}

}  // namespace sluice
