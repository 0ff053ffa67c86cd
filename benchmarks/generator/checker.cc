// SPDX-License-Identifier: Apache-2.0
#include "generator/checker.h"

#include <algorithm>

#include "packet/headers.h"

namespace sluice::generator {

Checker::Checker(const Traffic& traffic, uint32_t flows)
    : proxy_(traffic.proxy),
      client_(traffic.client),
      backend_(traffic.backend),
      reader_(traffic.population),
      flows_(traffic.population),
      backends_(flows, kUnknown),
      shares_(std::min(kSharesOf, traffic.population.services.count),
              std::vector<uint64_t>(traffic.population.backends.each)) {
  if (proxy_) return;
  // A forwarder gives none; the replies need some.
  for (uint32_t flow = 0; flow < flows; ++flow) {
    backends_[flow] = static_cast<uint16_t>(flow % flows_.each());
  }
}

void Checker::check(const uint8_t* frame, uint32_t length, Direction direction) {
  if (!reader_.claims(frame, length)) return;
  ++checked_;
  if (!proxy_) return check_forwarded(frame, length, direction);
  const auto received = reader_.read(frame, length, direction);
  if (!received || !macs_right(frame, direction) || !reader_.payload_intact(frame, *received)) {
    ++wrong_.other;
  } else if (!reader_.checksums_right(frame, *received)) {
    ++wrong_.checksum;
  } else {
    check_proxied(*received, direction);
  }
}

bool Checker::macs_right(const uint8_t* frame, Direction direction) const {
  const Attachment& side = direction == Direction::query ? backend_ : client_;
  const auto& ethernet = *header_at<EthernetHeader>(frame, 0);
  return std::memcmp(ethernet.destination, side.mac.data(), side.mac.size()) == 0 &&
         std::memcmp(ethernet.source, side.peer_mac.data(), side.peer_mac.size()) == 0;
}

void Checker::check_proxied(const Received& received, Direction direction) {
  const uint32_t flow = flow_of(received, direction);
  if (flow == UINT32_MAX) return;
  if (received.payload_length >= kFlowTag && received.tag().flow != flow) {
    ++wrong_.other;
  } else if (direction == Direction::query && learn(flow, received)) {
    const uint32_t service = flows_.service_of(flow);
    if (service < shares_.size()) {
      ++shares_[service][flows_.which_of(flow, received.destination)];
    }
  }
}

uint32_t Checker::flow_of(const Received& received, Direction direction) {
  const bool query = direction == Direction::query;
  const uint32_t flow = flows_.flow_of(query ? received.source : received.destination);
  if (flow == UINT32_MAX || (!backends_.empty() && flow >= backends_.size())) {
    ++wrong_.other;
    return UINT32_MAX;
  }
  if (query ? flows_.which_of(flow, received.destination) >= flows_.each()
            : received.source != flows_.service(flow)) {
    ++wrong_.backend;
    return UINT32_MAX;
  }
  return flow;
}

bool Checker::learn(uint32_t flow, const Received& query) {
  if (backends_.empty()) return true;
  const auto which = static_cast<uint16_t>(flows_.which_of(flow, query.destination));
  if (backends_[flow] == kUnknown) backends_[flow] = which;
  if (backends_[flow] == which) return true;
  ++wrong_.moved;
  return false;
}

// Only that it is ours, and as long as it says: a forwarder may swap anything in the headers.
void Checker::check_forwarded(const uint8_t* frame, uint32_t length, Direction direction) {
  const Layout& layout = reader_.layout();
  uint16_t magic = 0;
  if (length >= layout.payload + kFlowTag) std::memcpy(&magic, frame + layout.payload, 2);
  if (magic != magic_of(direction)) ++wrong_.other;
}

}  // namespace sluice::generator
