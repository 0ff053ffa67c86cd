// SPDX-License-Identifier: Apache-2.0
#include "table/flow_state.h"

#include <algorithm>

#include "packet/headers.h"

namespace sluice {
namespace {

uint32_t tcp_timeout(const Timeouts& timeouts, FlowState state) {
  switch (state) {
    case FlowState::unreplied:
      return timeouts.tcp_unreplied;
    case FlowState::syn_received:
      return timeouts.tcp_syn_received;
    case FlowState::established:
      return timeouts.tcp_established;
    case FlowState::close_wait:
      return timeouts.tcp_close_wait;
    case FlowState::time_wait:
      return timeouts.tcp_time_wait;
    case FlowState::closed:
      break;
  }
  return timeouts.tcp_closed;
}

uint32_t sctp_timeout(const Timeouts& timeouts, FlowState state) {
  if (state < FlowState::established) return timeouts.sctp_unreplied;
  return state == FlowState::established ? timeouts.sctp_established : timeouts.sctp_closed;
}

}  // namespace

FlowState flow_state(const FlowSides& sides) {
  const bool has_flags = sides.protocol == kProtocolTcp || sides.protocol == kProtocolSctp;
  if (has_flags) {
    const uint8_t either = sides.forward_flags | sides.reply_flags;
    if (either & kTcpRst) return FlowState::closed;
    const uint8_t reply_flags = sides.one_way ? sides.forward_flags : sides.reply_flags;
    if (sides.forward_flags & reply_flags & kTcpFin) return FlowState::time_wait;
    if ((sides.forward_flags | reply_flags) & kTcpFin) return FlowState::close_wait;
  }
  if (!sides.both_spoke && !sides.one_way) return FlowState::unreplied;
  if (has_flags && !(sides.forward_flags & kTcpAck)) return FlowState::syn_received;
  return FlowState::established;
}

uint32_t flow_timeout(const Timeouts& timeouts, uint8_t protocol, FlowState state) {
  switch (protocol) {
    case kProtocolTcp:
      return tcp_timeout(timeouts, state);
    case kProtocolSctp:
      return sctp_timeout(timeouts, state);
    case kProtocolUdp:
      return state == FlowState::unreplied ? timeouts.udp_unreplied : timeouts.udp_stream;
    default:
      return timeouts.icmp;
  }
}

uint32_t least_timeout(const Timeouts& timeouts, uint8_t protocol) {
  uint32_t least = UINT32_MAX;
  for (auto state = FlowState::unreplied; state <= FlowState::closed;
       state = static_cast<FlowState>(static_cast<int>(state) + 1)) {
    least = std::min(least, flow_timeout(timeouts, protocol, state));
  }
  return least;
}

}  // namespace sluice
