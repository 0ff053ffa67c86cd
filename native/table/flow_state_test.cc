// SPDX-License-Identifier: Apache-2.0
#include "table/flow_state.h"

#include <doctest/doctest.h>

#include <initializer_list>

#include "packet/headers.h"

namespace sluice {
namespace {

// A number of its own for each, so that none can stand in for another.
constexpr Timeouts kTimeouts{.tcp_unreplied = 1,
                             .tcp_syn_received = 2,
                             .tcp_established = 3,
                             .tcp_close_wait = 4,
                             .tcp_time_wait = 5,
                             .tcp_closed = 6,
                             .udp_unreplied = 7,
                             .udp_stream = 8,
                             .sctp_unreplied = 9,
                             .sctp_established = 10,
                             .sctp_closed = 11,
                             .icmp = 12};

constexpr FlowState kAll[] = {FlowState::unreplied,   FlowState::syn_received,
                              FlowState::established, FlowState::close_wait,
                              FlowState::time_wait,   FlowState::closed};

}  // namespace

TEST_CASE("TCP and SCTP: the state follows the flags of both sides") {
  constexpr uint8_t kSynAck = kTcpSyn | kTcpAck, kFinAck = kTcpFin | kTcpAck;
  for (uint8_t protocol : {kProtocolTcp, kProtocolSctp}) {
    auto state = [&](int forward, int reply, bool both_spoke = true) {
      return flow_state(
          {protocol, static_cast<uint8_t>(forward), static_cast<uint8_t>(reply), both_spoke});
    };
    CHECK(state(kTcpSyn, 0, false) == FlowState::unreplied);
    CHECK(state(kTcpAck, 0, false) == FlowState::unreplied);  // picked up midway
    CHECK(state(kTcpSyn, kSynAck) == FlowState::syn_received);
    CHECK(state(kSynAck, kSynAck) == FlowState::established);
    CHECK(state(kSynAck | kFinAck, kSynAck) == FlowState::close_wait);
    CHECK(state(kSynAck, kFinAck) == FlowState::close_wait);
    CHECK(state(kTcpFin, 0, false) == FlowState::close_wait);
    CHECK(state(kFinAck, kFinAck) == FlowState::time_wait);
    CHECK(state(kTcpSyn, kTcpRst | kTcpAck) == FlowState::closed);
    CHECK(state(kFinAck | kTcpRst, kFinAck) == FlowState::closed);
  }
}

TEST_CASE("one way: the client alone says what there is, but for a reset") {
  const auto state = [](uint8_t protocol, int forward, int reply) {
    return flow_state({protocol, static_cast<uint8_t>(forward), static_cast<uint8_t>(reply), false,
                       /*one_way=*/true});
  };
  for (uint8_t protocol : {kProtocolTcp, kProtocolSctp}) {
    CHECK(state(protocol, kTcpSyn, 0) == FlowState::syn_received);
    CHECK(state(protocol, kTcpAck, 0) == FlowState::established);
    CHECK(state(protocol, kTcpAck, kTcpFin) == FlowState::established);
    CHECK(state(protocol, kTcpAck | kTcpFin, 0) == FlowState::time_wait);
    CHECK(state(protocol, kTcpAck | kTcpRst, 0) == FlowState::closed);
    CHECK(state(protocol, kTcpAck, kTcpRst) == FlowState::closed);
  }
  CHECK(state(kProtocolUdp, 0, 0) == FlowState::established);
  CHECK(state(kProtocolIcmp, 0, 0) == FlowState::established);
}

TEST_CASE("UDP and echo: established when both have spoken") {
  for (uint8_t protocol : {kProtocolUdp, kProtocolIcmp, kProtocolIcmpv6}) {
    CHECK(flow_state({protocol, 0, 0, false}) == FlowState::unreplied);
    CHECK(flow_state({protocol, 0, 0, true}) == FlowState::established);
  }
}

TEST_CASE("each state has its timeout") {
  uint32_t expected_tcp = 1;
  for (FlowState state : kAll)
    CHECK(flow_timeout(kTimeouts, kProtocolTcp, state) == expected_tcp++);
  const uint32_t expected_sctp[] = {9, 9, 10, 11, 11, 11};
  for (FlowState state : kAll) {
    CHECK(flow_timeout(kTimeouts, kProtocolSctp, state) ==
          expected_sctp[static_cast<size_t>(state)]);
    CHECK(flow_timeout(kTimeouts, kProtocolIcmp, state) == 12);
    CHECK(flow_timeout(kTimeouts, kProtocolIcmpv6, state) == 12);
  }
  CHECK(flow_timeout(kTimeouts, kProtocolUdp, FlowState::unreplied) == 7);
  CHECK(flow_timeout(kTimeouts, kProtocolUdp, FlowState::established) == 8);
}

}  // namespace sluice
