// SPDX-License-Identifier: Apache-2.0
#include "generator/sizes.h"

#include <algorithm>

#include "packet/headers.h"

namespace sluice::generator {
namespace {

constexpr uint32_t kFcs = 4;
constexpr uint32_t kImix[] = {64, 594, 1'518};
const std::vector<uint8_t> kImixOrder = {0, 1, 0, 0, 1, 0, 2, 0, 1, 0, 0, 1};  // 7, 4, 1

}  // namespace

FrameKind frame_kind(const Traffic& traffic, Direction direction) {
  const Attachment& side = direction == Direction::query ? traffic.client : traffic.backend;
  FrameKind kind{&traffic.population, side.mac, side.peer_mac, direction, 0};
  if (traffic.population.protocol != kProtocolTcp) return kind;
  const bool query = direction == Direction::query;
  kind.tcp = {kTcpAck, 1 + (query ? kClientSequence : kBackendSequence),
              1 + (query ? kBackendSequence : kClientSequence)};
  return kind;
}

uint16_t payload_of(const Traffic& traffic, uint32_t frame) {
  const Layout layout(traffic.population.family, traffic.population.protocol);
  const bool tcp = traffic.population.protocol == kProtocolTcp;
  // TCP's 64 bytes have no room for a stamp; only latency needs one.
  const bool stamped = !tcp || traffic.run.kind == Run::Kind::latency;
  const size_t least = stamped ? kStampTag : kFlowTag;
  const size_t headers = layout.payload + kFcs;
  return static_cast<uint16_t>(std::max<size_t>(least, frame > headers ? frame - headers : 0));
}

DataFrames::DataFrames(const Traffic& traffic, Direction direction) {
  FrameKind kind = frame_kind(traffic, direction);
  const auto add = [&](uint32_t frame) {
    kind.payload = payload_of(traffic, frame);
    templates_.emplace_back(kind);
  };
  if (traffic.frame != 0) {
    add(traffic.frame);
    order_ = {0};
  } else {
    for (const uint32_t frame : kImix) add(frame);
    order_ = kImixOrder;
  }
}

}  // namespace sluice::generator
