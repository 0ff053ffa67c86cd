// SPDX-License-Identifier: Apache-2.0
// Traffic of numbered flows through a world's services: opens them, and then makes bursts of either
// direction of flows that are picked at random, each as likely as the other.
#pragma once

#include <algorithm>
#include <vector>

#include "testing/bench_frames.h"
#include "testing/bench_worker.h"

namespace sluice {

// The flows first, first + step, ... below `end`.
struct BenchShare {
  uint32_t first = 0, end = 0, step = 1;

  uint32_t size() const { return end > first ? (end - first - 1) / step + 1 : 0; }
};

// One packet of a connection.
struct BenchStep {
  uint16_t interface;
  uint8_t tcp_flags;

  bool is_first() const { return interface == 0 && tcp_flags == kTcpSyn; }
};

// What makes a flow of this protocol an established one; of UDP flags do not matter.
inline std::vector<BenchStep> bench_handshake(uint8_t protocol) {
  std::vector<BenchStep> steps = {{0, kTcpSyn}, {1, kTcpSyn | kTcpAck}};
  if (protocol == kProtocolTcp) steps.push_back({0, kTcpAck});
  return steps;
}

template <class F>
class BenchTraffic {
 public:
  BenchTraffic(const BenchWorld& world, const BenchShare& share)
      : options_(world.options),
        share_(share),
        backends_(share.size()),
        next_pick_(share.first),
        frames_{{0, options_.protocol}, {1, options_.protocol}} {}

  // Makes all flows of the share known to the world's tables, established.
  void open(BenchWorker& worker) {
    for (uint32_t first = 0; first < share_.size(); first += kMaxBurst) {
      for (const BenchStep& step : bench_handshake(options_.protocol)) {
        fill(worker, step, first);
        worker.run();
        learn(worker, step, first);
      }
    }
  }

  // The worker's next burst: a packet of each of the share's flows from `first` on.
  void fill(BenchWorker& worker, const BenchStep& step, uint32_t first,
            uint32_t count = kMaxBurst) {
    count = std::min(count, share_.size() - first);
    for (uint32_t i = 0; i < count; i++) picked_[i] = first + i;
    fill(worker, BenchFrames<F>(step.interface, options_.protocol, step.tcp_flags), step.interface,
         count);
  }
  // Where the flows of this burst, the first of theirs, have gone: replies come from there.
  void learn(const BenchWorker& worker, const BenchStep& step, uint32_t first) {
    if (!step.is_first()) return;
    const uint32_t count = std::min(kMaxBurst, share_.size() - first);
    for (uint32_t i = 0; i < count; i++) {
      backends_[first + i] =
          BenchNames<F>::backend_number(ip_header<F>(worker.frame(i))->destination);
    }
  }

  // The worker's next burst: queries (interface 0) or replies (1), of any flows.
  void fill(BenchWorker& worker, uint16_t interface, uint32_t count = kMaxBurst) {
    for (uint32_t i = 0; i < count; i++) picked_[i] = pick();
    fill(worker, frames_[interface], interface, count);
  }
  // The five-tuple of the i-th packet that was filled in last.
  FiveTuple<F> arrived(uint32_t i) const { return arriving(interface_, picked_[i]); }
  // Whether the worker's last burst, a whole one filled here, has left as it should: to the backend
  // that each flow was opened with or back to its client, with right checksums.
  bool has_left(const BenchWorker& worker) const {
    for (uint32_t i = 0; i < kMaxBurst; i++) {
      const uint8_t* const frame = worker.frame(i);
      const FiveTuple<F> wanted = arriving(interface_ ^ 1, picked_[i]).reversed();
      if (!(tuple_of(frame) == wanted)) return false;
      if (!checksums_hold({frame, frame + frames_[interface_].length()})) return false;
    }
    return true;
  }

 private:
  FiveTuple<F> arriving(uint16_t interface, uint32_t i) const {
    const FiveTuple<F> query =
        bench_query<F>(share_.first + i * share_.step, options_.services, options_.protocol);
    return interface == 0 ? query : bench_reply<F>(query, backends_[i]);
  }
  uint32_t pick() {
    return static_cast<uint32_t>(uint64_t{mix(next_pick_++)} * share_.size() >> 32);
  }

  void fill(BenchWorker& worker, const BenchFrames<F>& frames, uint16_t interface, uint32_t count) {
    interface_ = interface;
    worker.fill(interface, count,
                [&](uint32_t i, uint8_t* to) { return frames.write(arrived(i), to); });
  }

  FiveTuple<F> tuple_of(const uint8_t* frame) const {
    const auto& ip = *ip_header<F>(frame);
    const auto& ports = *header_at<PortsHeader>(frame, kEthernetBytes + sizeof(ip));
    return {ip.source, ip.destination, ports.source, ports.destination, options_.protocol, {}};
  }

  const BenchOptions options_;
  const BenchShare share_;
  std::vector<uint32_t> backends_;  // of each flow of the share
  uint32_t next_pick_;
  uint32_t picked_[kMaxBurst];
  uint16_t interface_ = 0;          // of the burst that was filled last
  const BenchFrames<F> frames_[2];  // of queries, of replies
};

}  // namespace sluice
