// SPDX-License-Identifier: Apache-2.0
// ARP both ways: what we answer, what we learn, and packets that wait for an answer. How IPv6 asks
// is tested in nd_test.cc.
#include "stage/neighbour.h"

#include "testing/world.h"

namespace sluice {
namespace {

constexpr uint32_t kUp = ip(10, 0, 0, 1), kPods = ip(10, 244, 0, 254);
constexpr uint32_t kClient = ip(10, 0, 0, 77), kPod = ip(10, 244, 0, 1);
constexpr Mac kClientMac = {2, 1, 1, 1, 1, 1}, kPodMac = {2, 2, 2, 2, 2, 2};

const Stations kIn{kClientMac, World::mac(0)};

// Interface 0 towards clients, 1 towards pods; nothing is resolved.
struct Link : World {
  explicit Link(const Limits& limits_ = kSmall) : World(limits_) {
    add_interface(0);
    add_interface(1);
    Delta delta;
    delta.address(0, kUp, 24).address(1, ip(192, 168, 0, 1), 24).address(1, kPods, 16);
    delta.route(ip(10, 0, 0, 0), 24, 0).route(ip(10, 244, 0, 0), 16, 1);
    delta.route(ip(10, 9, 0, 0), 16, 1, kPod);
    commit(delta);
  }
  void expect_drop(DropReason reason, const Bytes& frame, uint16_t interface = 0) {
    INFO(kDropReasonNames[static_cast<uint32_t>(reason)]);
    const uint64_t before = drops(reason);
    poll(interface, {frame});
    CHECK(drops(reason) == before + 1);
  }
  bool knows(uint16_t interface, uint32_t address) const {
    const Neighbour* found = neighbours.find(interface, AnyAddress(address));
    return found != nullptr && found->usable(context.now_ms, context.neighbour_ages);
  }
  void pod_answers(uint32_t address = kPod) {
    poll(1, {arp_frame({kPodMac, mac(1)}, kArpReply, address, kPods)});
  }
};

Bytes to_pod(uint16_t port = 1, uint32_t address = kPod) {
  return udp_frame(kIn, kClient, port, address, 9);
}

Bytes expected_request(uint32_t target, uint32_t sender = kPods) {
  return arp_frame({World::mac(1), kBroadcast}, kArpRequest, sender, target);
}

}  // namespace

TEST_CASE("a request for our address is answered in place, and its sender learned") {
  Link link;
  Bytes request = arp_frame({kClientMac, kBroadcast}, kArpRequest, kClient, kUp);
  request.resize(60, 0xee);
  link.poll(0, {request});
  const auto out = link.sent(0);
  REQUIRE(out.size() == 1);
  Bytes expected = arp_frame({World::mac(0), kClientMac}, kArpReply, kUp, kClient);
  std::copy(kClientMac.begin(), kClientMac.end(), arp_of(expected).target_mac);
  CHECK(out[0] == expected);
  CHECK(link.counter(WorkerCounter::answered) == 1);
  CHECK(link.knows(0, kClient));
}

TEST_CASE("what is no Ethernet/IPv4 ARP is malformed") {
  Link link;
  const Bytes sound = arp_frame({kClientMac, kBroadcast}, kArpRequest, kClient, kUp);
  Bytes cut = sound;
  cut.pop_back();
  link.expect_drop(DropReason::malformed_arp, cut);
  auto expect = [&](auto&& change) {
    Bytes frame = sound;
    change(arp_of(frame));
    link.expect_drop(DropReason::malformed_arp, frame);
  };
  expect([](ArpHeader& arp) { arp.hardware = be16::from_host(6); });
  expect([](ArpHeader& arp) { arp.protocol = be16::from_host(0x86dd); });
  expect([](ArpHeader& arp) { arp.hardware_length = 8; });
  expect([](ArpHeader& arp) { arp.protocol_length = 16; });
  expect([](ArpHeader& arp) { arp.opcode = be16::from_host(0); });
  expect([](ArpHeader& arp) { arp.opcode = be16::from_host(3); });
  expect([](ArpHeader& arp) { std::memset(arp.sender_mac, 0, 6); });
  expect([](ArpHeader& arp) { std::memset(arp.sender_mac, 0xff, 6); });
  CHECK(link.neighbours.used() == 0);
}

TEST_CASE("only what concerns us is learned, and never our own address") {
  Link link;
  const Stations all{kClientMac, kBroadcast};
  link.expect_drop(DropReason::arp_not_for_us, arp_frame(all, kArpRequest, kClient, kUp + 9));
  CHECK_FALSE(link.knows(0, kClient));
  link.expect_drop(DropReason::arp_absorbed, arp_frame(all, kArpRequest, kClient, kClient));
  CHECK_FALSE(link.knows(0, kClient));
  link.expect_drop(DropReason::arp_absorbed, arp_frame(all, kArpReply, kClient, kUp));
  CHECK(link.knows(0, kClient));
  link.at(link.context.now_ms + 119'000);
  link.expect_drop(DropReason::arp_absorbed, arp_frame(all, kArpReply, kClient, kClient));
  link.at(link.context.now_ms + 119'000);
  CHECK(link.knows(0, kClient));  // known already: an announcement is enough
  link.poll(0, {arp_frame(all, kArpRequest, 0, kUp), arp_frame(all, kArpRequest, kUp, kUp)});
  CHECK(link.counter(WorkerCounter::answered) == 2);
  CHECK(link.neighbours.used() == 1);
}

TEST_CASE("a packet waits for its neighbour and leaves when it answers, in order") {
  Link link;
  link.poll(0, {to_pod(1), to_pod(2)});
  CHECK(link.counter(WorkerCounter::held) == 2);
  CHECK(link.counter(WorkerCounter::originated) == 1);
  auto out = link.sent(1);
  REQUIRE(out.size() == 1);
  CHECK(out[0] == expected_request(kPod));

  link.at(link.context.now_ms + 999);
  link.poll(0, {udp_frame(kIn, kClient, 3, ip(10, 9, 0, 1), 9)});  // through the same gateway
  CHECK(link.sent(1).empty());
  link.at(link.context.now_ms + 1);
  link.idle();
  CHECK(link.sent(1).size() == 1);  // asked again

  link.pod_answers();
  CHECK(link.drops(DropReason::arp_absorbed) == 1);
  out = link.sent(1);
  REQUIRE(out.size() == 3);
  for (uint16_t i = 0; i < 3; i++) {
    CHECK(l4_of<UdpHeader>(out[i]).source_port.host() == i + 1);
    CHECK(std::equal(kPodMac.begin(), kPodMac.end(), out[i].begin()));
    CHECK(std::memcmp(ethernet_of(out[i]).source, World::mac(1).data(), 6) == 0);
  }
  CHECK(link.counter(WorkerCounter::held) == 0);
  CHECK(link.counter(WorkerCounter::forwarded) == 3);
}

TEST_CASE("a packet that has waited three seconds is dropped") {
  Link link;
  link.poll(0, {to_pod()});
  link.at(link.context.now_ms + 2999);
  link.idle();
  CHECK(link.counter(WorkerCounter::held) == 1);
  link.at(link.context.now_ms + 1);
  link.idle();
  CHECK(link.drops(DropReason::neighbour_unresolved) == 1);
  CHECK(link.counter(WorkerCounter::originated) == 2);
}

TEST_CASE("a stale neighbour is used and asked once a second; a forgotten one is waited for") {
  Link link;
  link.pod_answers();
  link.at(link.context.now_ms + 59'999);
  link.poll(0, {to_pod()});
  CHECK(link.sent(1).size() == 1);
  link.at(link.context.now_ms + 1);
  link.poll(0, {to_pod(), to_pod()});
  const auto out = link.sent(1);
  REQUIRE(out.size() == 3);
  CHECK(out[2] == expected_request(kPod));  // behind the burst
  link.at(link.context.now_ms + 60'000);
  link.poll(0, {to_pod()});
  CHECK(link.counter(WorkerCounter::held) == 1);
}

TEST_CASE("at most 16 wait for one neighbour, and 1,024 in all") {
  Limits limits = kSmall;
  limits.neighbours = 128;
  Link link(limits);
  std::vector<Bytes> frames(17, to_pod());
  link.poll(0, frames);
  CHECK(link.counter(WorkerCounter::held) == 16);
  CHECK(link.drops(DropReason::neighbour_queue_full) == 1);
  for (uint32_t i = 1; i < 64; i++) {
    link.poll(0, std::vector<Bytes>(16, to_pod(1, kPod + i)));
  }
  CHECK(link.counter(WorkerCounter::held) == 1024);
  const uint64_t asked = link.counter(WorkerCounter::originated);
  const uint32_t known = link.neighbours.used();
  link.poll(0, {to_pod(1, kPod + 100)});
  CHECK(link.drops(DropReason::neighbour_queue_full) == 2);
  CHECK(link.counter(WorkerCounter::originated) == asked);
  CHECK(link.neighbours.used() == known);
  link.sent(1);

  for (uint32_t i = 0; i < 64; i++) {
    link.context.neighbours->find(1, AnyAddress(kPod + i))
        ->learn(kPodMac.data(), link.context.now_ms);
  }
  link.idle();
  CHECK(link.sent(1).size() == 1024);
}

TEST_CASE("no room for another neighbour") {
  Limits limits = kSmall;
  limits.neighbours = 1;
  Link link(limits);
  link.poll(0, {to_pod(1), to_pod(1, kPod + 1)});
  CHECK(link.counter(WorkerCounter::held) == 1);
  CHECK(link.drops(DropReason::neighbour_table_full) == 1);
  link.poll(0, {arp_frame({kClientMac, kBroadcast}, kArpRequest, kClient, kUp)});
  CHECK_FALSE(link.knows(0, kClient));
  CHECK(link.counter(WorkerCounter::answered) == 1);
}

TEST_CASE("held packets see the link go down, and their interface go") {
  Link link;
  link.poll(0, {to_pod()});
  link.up[1] = false;
  link.idle();
  CHECK(link.drops(DropReason::interface_down) == 1);
  link.up[1] = true;
  link.poll(0, {to_pod(), to_pod()});
  drop_held(link.context, 0);
  CHECK(link.counter(WorkerCounter::held) == 2);
  drop_held(link.context, 1);
  CHECK(link.drops(DropReason::interface_removed) == 2);
  link.poll(0, {to_pod()});
  link.publish(link.state.remove_interface(1));  // the walk sees it first
  link.idle();
  CHECK(link.drops(DropReason::interface_removed) == 3);
}

TEST_CASE("the sender of a request is the address whose prefix holds the target, else the first") {
  Link link;
  link.commit(Delta().route(ip(172, 16, 0, 0), 16, 1));  // on the link, in no network of ours
  link.poll(0, {to_pod(1, ip(172, 16, 0, 1))});
  link.commit(Delta().address(0, kUp, 24));
  link.poll(0, {to_pod(1, ip(172, 16, 0, 2))});
  const auto out = link.sent(1);
  REQUIRE(out.size() == 2);
  CHECK(out[0] == expected_request(ip(172, 16, 0, 1), ip(192, 168, 0, 1)));
  CHECK(out[1] == expected_request(ip(172, 16, 0, 2), 0));
}

TEST_CASE("without a buffer nothing is asked, and nothing is lost") {
  Link link;
  link.outside.out_of_buffers = true;
  link.poll(0, {to_pod()});
  CHECK(link.counter(WorkerCounter::originated) == 0);
  link.outside.out_of_buffers = false;
  link.at(link.context.now_ms + 1000);
  link.idle();
  CHECK(link.sent(1).size() == 1);
}

}  // namespace sluice
