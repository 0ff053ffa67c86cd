// SPDX-License-Identifier: Apache-2.0
#include "testing/fuzz_pipeline.h"

#include <map>
#include <optional>
#include <set>

#include "packet/headers.h"
#include "testing/fuzz_addresses.h"
#include "testing/fuzz_checksums.h"
#include "testing/fuzz_frames.h"
#include "testing/fuzz_packets.h"
#include "testing/fuzz_prediction.h"
#include "testing/fuzz_program.h"
#include "testing/world.h"

namespace sluice {
namespace {

constexpr Limits kRoomy = {
    .flows = 64,
    .flows6 = 64,
    .affinities = 32,
    .backends = 64,
    .interfaces = kFuzzInterfaces,
    .neighbours = 16,
    .routes = 64,
    .held_per_neighbour = 4,
    .held_packets = 16,
    .fragments = 8,
    .fragment_packets = 16,
    .snat_port_max = 1100,
    .timeouts = {},
};
constexpr Limits kTight = {
    .flows = 3,
    .flows6 = 2,
    .affinities = 1,
    .backends = 64,
    .interfaces = kFuzzInterfaces,
    .neighbours = 2,
    .routes = 64,
    .held_per_neighbour = 1,
    .held_packets = 2,
    .fragments = 1,
    .fragment_packets = 2,
    .icmp_rate = 2,
    .snat_port_max = 1026,
    .tcp_pickup = false,
    .timeouts = {},
};

class Run {
 public:
  explicit Run(FuzzInput& input) : input_(input), world_(input.rarely(3) ? kTight : kRoomy) {
    for (uint16_t slot = 0; slot < kFuzzInterfaces; slot++) {
      const Mac mac = World::mac(slot);
      macs_.emplace_back(mac.begin(), mac.end());
    }
    for (uint16_t slot = 0; slot < 3; slot++) add_interface(slot);
    world_.commit(fuzz_first_program());
  }

  void step() {
    switch (input_.below(16)) {
      case 0:
        return commit();
      case 1:
        return change_interface(static_cast<uint16_t>(input_.below(kFuzzInterfaces)));
      case 2:
        return change_outside();
      case 3:
      case 4:
        return let_time_pass();
      default:
        return poll();
    }
  }

 private:
  void add_interface(uint16_t slot) {
    present_.insert(slot);
    world_.add_interface(slot, slot == 1 ? 1400 : 1500, slot == 2);
  }

  void commit() {
    Delta delta = fuzz_delta(input_);
    for (uint32_t times = input_.below(6); times > 3; times--) damage_delta(delta, input_);
    if (world_.state.check(delta)) return;
    world_.publish(world_.state.build(delta));
  }

  void change_interface(uint16_t slot) {
    if (!present_.contains(slot)) return add_interface(slot);
    if (!input_.rarely(2)) {
      const bool up = input_.rarely(2);
      world_.up[slot] = up;
      if (!up) world_.neighbours.forget_interface(slot);
      return;
    }
    present_.erase(slot);
    world_.remove_interface(slot);
  }

  void change_outside() {
    world_.outside.room = input_.rarely(2) ? input_.below(4) : SIZE_MAX;
    world_.outside.out_of_buffers = input_.rarely(4);
    world_.outside.hands_over = input_.rarely(4);
  }

  void let_time_pass() {
    constexpr uint64_t kJumps[] = {1,      500,    1'000,   3'000,     11'000,
                                   31'000, 61'000, 121'000, 90'000'000};
    world_.at(world_.context.now_ms + input_.pick(kJumps));
    world_.idle();
    look_at_sent();
  }

  void poll() {
    std::map<uint16_t, std::vector<Bytes>> frames;
    for (uint32_t i = 1 + input_.below(6); i > 0; i--) {
      FuzzFrame frame = fuzz_frame(input_, history_, macs_);
      if (!present_.contains(frame.interface)) continue;
      all_right_ &= checksums_are_right(frame.bytes);
      auto& queue = frames[frame.interface];
      queue.push_back(frame.bytes);
      if (input_.rarely(16)) add_variants(frame.bytes, queue);
      history_.add(std::move(frame));
    }
    for (const auto& [interface, queue] : frames) {
      std::optional<FuzzPrediction> prediction;
      if (queue.size() == 1 && FuzzPrediction::is_possible(world_)) {
        prediction.emplace(world_, interface, queue.front());
      }
      world_.poll(interface, queue);
      if (prediction) prediction->check(world_);
      look_at_sent();
    }
  }

  // Many connections at once.
  void add_variants(const Bytes& frame, std::vector<Bytes>& queue) {
    if (frame.size() <= kEthernetBytes) return;
    const auto begin = frame.begin() + kEthernetBytes;
    for (uint16_t number = 1; queue.size() < kMaxBurst - 8; number++) {
      const Bytes packet = fuzz_variant(Bytes(begin, frame.end()), number);
      Bytes variant(frame.begin(), begin);
      variant.insert(variant.end(), packet.begin(), packet.end());
      all_right_ &= checksums_are_right(variant);
      queue.push_back(std::move(variant));
    }
  }

  void look_at_sent() {
    for (uint16_t slot = 0; slot < kFuzzInterfaces; slot++) {
      for (Bytes& frame : world_.sent(slot)) {
        REQUIRE(present_.contains(slot));
        CHECK(frame.size() > kEthernetBytes);
        if (all_right_) CHECK(checksums_are_right(frame));
        history_.add({std::move(frame), slot});
      }
    }
  }

  FuzzInput& input_;
  World world_;
  FuzzHistory history_;
  std::vector<std::vector<uint8_t>> macs_;
  std::set<uint16_t> present_;  // interfaces
  bool all_right_ = true;       // the checksums of all that has come in
};

}  // namespace

void fuzz_pipeline(const uint8_t* data, size_t size) {
  FuzzInput input(data, size);
  Run run(input);
  while (!input.at_end()) run.step();
}

}  // namespace sluice
