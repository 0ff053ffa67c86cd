// SPDX-License-Identifier: Apache-2.0
// Whatever comes in: no crash, no byte beyond the frame, and every packet has one fate. The world
// checks the law after each poll, AddressSanitizer the bytes.
#include <random>

#include "testing/world.h"

namespace sluice {
namespace {

constexpr uint32_t kPod = ip(10, 244, 0, 1), kVip = ip(10, 96, 0, 1);
constexpr uint32_t kSilent = ip(10, 244, 0, 7);  // answers no ARP
constexpr Mac kPeer = {2, 1, 1, 1, 1, 1};

class Noise {
 public:
  uint32_t below(uint32_t limit) { return static_cast<uint32_t>(random_() % limit); }

  // A frame that makes sense; few enough addresses that flows and neighbours meet.
  Bytes sound(uint16_t interface) {
    const Stations in{kPeer, World::mac(interface)};
    const uint32_t hosts[] = {kVip,     kVip + 1,        kSilent,         kPod,
                              kPod + 1, ip(10, 0, 0, 7), ip(10, 0, 0, 1), ip(9, 9, 9, 9)};
    const uint32_t source = hosts[3 + below(3)], destination = hosts[below(8)];
    const auto port = static_cast<uint16_t>(below(2) ? 80 : 8080);
    const auto other = static_cast<uint16_t>(below(2) ? 80 : 1000 + below(40));
    switch (below(6)) {
      case 0:
        return arp_frame({kPeer, kBroadcast}, static_cast<uint16_t>(1 + below(2)), source,
                         destination);
      case 1:
        return echo_frame(in, source, destination);
      case 2:
        return udp_frame(in, source, other, destination, port);
      case 3: {
        Bytes frame = ipv4_frame(in, source, destination, 99, Bytes(30 + below(30)));
        write_ip_checksum(frame);
        return frame;
      }
      default:
        return tcp_frame(in, source, other, destination, port, static_cast<uint8_t>(below(32)));
    }
  }

  void spoil(Bytes& frame) {
    if (below(4) == 0) frame.resize(below(static_cast<uint32_t>(frame.size()) + 20));
    for (uint32_t flips = below(4); flips > 0 && !frame.empty(); flips--) {
      frame[below(static_cast<uint32_t>(frame.size()))] = static_cast<uint8_t>(random_());
    }
    if (frame.size() >= 34 && below(2)) {  // past the header checksum
      ip_of(frame).checksum = {};
      const size_t header = std::min<size_t>((frame[14] & 0xfu) * 4u, frame.size() - 14);
      ip_of(frame).checksum = full_checksum(&frame[14], header);
    }
  }

  Bytes garbage() {
    Bytes frame(below(100));
    for (auto& byte : frame) byte = static_cast<uint8_t>(random_());
    return frame;
  }

 private:
  std::mt19937 random_{6};
};

}  // namespace

TEST_CASE("a hundred thousand mutated packets") {
  World world({.flows = 8,
               .backends = 8,
               .interfaces = 3,
               .neighbours = 6,
               .routes = 8,
               .timeouts = {.tcp_unreplied = 12, .tcp_closed = 2, .udp_unreplied = 8}});
  for (uint16_t slot : {0, 1}) world.add_interface(slot, slot == 0 ? 1500 : 60);
  Delta program;
  program.address(0, ip(10, 0, 0, 1), 24).address(1, ip(10, 244, 0, 254), 16);
  program.route(ip(10, 0, 0, 0), 24, 0).route(ip(10, 244, 0, 0), 16, 1);
  program.frontend(0, kVip, 80, kProtocolTcp, 0).frontend(1, kVip, 80, kProtocolUdp, 0);
  program.frontend(2, kVip + 1, 80, kProtocolTcp, 1);  // the same backend: replies may collide
  program.pool(0, {{0, kPod, 8080}, {1, kPod + 1, 8080}}).pool(1, {{5, kPod, 8080}});
  world.commit(program);

  Noise noise;
  uint32_t received = 0;
  while (received < 100'000) {
    const auto interface = static_cast<uint16_t>(noise.below(2));
    std::vector<Bytes> frames;
    for (uint32_t count = noise.below(kMaxBurst + 1); count > 0; count--) {
      frames.push_back(noise.below(20) == 0 ? noise.garbage() : noise.sound(interface));
      if (noise.below(2)) noise.spoil(frames.back());
    }
    received += static_cast<uint32_t>(frames.size());
    world.outside.room = noise.below(3) == 0 ? noise.below(10) : SIZE_MAX;
    world.outside.out_of_buffers = noise.below(8) == 0;
    world.up[1] = noise.below(8) != 0;
    world.at(world.context.now_ms + noise.below(700));
    world.poll(interface, frames);
    world.outside.sent.clear();
    if (noise.below(50) == 0) {
      const auto weight = static_cast<uint16_t>(noise.below(3));
      world.commit(Delta().pool(0, {{noise.below(4), kPod + noise.below(3), 8080, weight}}));
    }
  }
  CHECK(world.counter(WorkerCounter::rx) == received);
  CHECK(world.counter(WorkerCounter::forwarded) > 1000);
  CHECK(world.counter(WorkerCounter::answered) > 1000);
  CHECK(world.counter(WorkerCounter::flowsCreated) > 300);
  CHECK(world.counter(WorkerCounter::flowsExpired) > 100);
  for (uint32_t i = 0; i < kDropReasonCount; i++) {
    const auto reason = static_cast<DropReason>(i);
    const bool engines =  // other workers, and interfaces that go, are the engine's affair
        reason == DropReason::handoff_full || reason == DropReason::interface_removed;
    INFO(std::string(kDropReasonNames[i]));
    CHECK((world.drops(reason) > 0) != engines);
  }
}

}  // namespace sluice
