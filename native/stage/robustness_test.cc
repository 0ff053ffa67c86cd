// SPDX-License-Identifier: Apache-2.0
// Whatever comes in: no crash, no byte beyond the frame, and every packet has one fate. The world
// checks the law after each poll, AddressSanitizer the bytes.
#include "stage/explain.h"
#include "testing/noise.h"

namespace sluice {
namespace {

constexpr Limits kTight = {.flows = 6,
                           .flows6 = 6,
                           .affinities = 4,
                           .backends = 64,
                           .interfaces = 3,
                           .neighbours = 6,
                           .routes = 16,
                           .held_per_neighbour = 3,
                           .held_packets = 6,
                           .fragments = 4,
                           .fragment_packets = 6,
                           .icmp_rate = 2,
                           .snat_port_min = 1024,
                           .snat_port_max = 1026,
                           .timeouts = {.tcp_unreplied = 12,
                                        .tcp_established = 20,
                                        .tcp_closed = 2,
                                        .udp_unreplied = 8,
                                        .udp_stream = 20,
                                        .fragment = 2,
                                        .neighbour_stale = 10,
                                        .neighbour_dead = 20}};

// Changes of one family's services.
template <class F>
void change_services(Noise& noise, Delta& delta) {
  using N = Names<F>;
  constexpr uint32_t kFirst = N::first_slot;
  const uint16_t targets[] = {Proxy::kTcpTarget, Proxy::kUdpTarget, Proxy::kSctpTarget, 0};
  const uint32_t i = noise.below(4);
  const uint32_t other = 32 + kFirst + i;
  delta.backend(kFirst + i, N::pod, targets[i], kFirst + i, noise.one_in(4));
  delta.backend(other, noise.one_in(2) ? N::other_pod : N::pod, targets[i], kFirst + i);
  if (noise.one_in(8)) {
    delta.pool(kFirst + i, {}, noise.one_in(2));
  } else {
    delta.pool(kFirst + i, {{kFirst + i, static_cast<uint16_t>(noise.below(3))}, {other, 1}});
  }
  FrontendExtras extras;
  extras.service = kFirst + i;
  extras.masquerade = static_cast<uint8_t>(noise.below(8));
  extras.affinity = noise.below(2) * 60;
  if (noise.one_in(4)) extras.ranges = {N::pods};
  const uint16_t ports[] = {Proxy::kTcpPort, Proxy::kUdpPort, Proxy::kSctpPort, 0};
  const uint8_t protocols[] = {kProtocolTcp, kProtocolUdp, kProtocolSctp, N::icmp};
  delta.frontend(kFirst + i, N::vip, ports[i], protocols[i], kFirst + i, extras);
}

// Our addresses: mostly all of them, sometimes none where masqueraded packets leave.
void change_addresses(Noise& noise, Delta& delta) {
  delta.address(0, Names<Ipv4>::up, 24).address(0, Names<Ipv6>::up, 64);
  if (noise.one_in(3)) return;
  delta.address(1, Names<Ipv4>::down, 16).address(1, Names<Ipv6>::down, 64);
}

// Half of the next hops are given, the others have to be resolved.
void first_program(World& world) {
  world.commit(Delta()
                   .route(Names<Ipv4>::pods.prefix, 16, 1, kOnLink, {2, 2, 2, 2, 2, 2})
                   .route(Names<Ipv6>::clients.prefix, 64, 0, kOnLink, {2, 1, 1, 1, 1, 1})
                   .service_network({ip(8, 8, 8, 0), 24})
                   .service_network({ip6("2001:db8:ffff::"), 64})
                   .pod_network(Names<Ipv4>::pods));
}

}  // namespace

TEST_CASE("two hundred thousand mutated packets") {
  Proxy proxy({.resolved = false}, kTight);
  first_program(proxy);
  Noise noise(6);
  uint32_t received = 0;
  while (received < 200'000) {
    const auto interface = static_cast<uint16_t>(noise.below(2));
    std::vector<Bytes> frames;
    for (uint32_t count = noise.below(kMaxBurst + 1); frames.size() < count;) {
      for (Bytes& frame : noise.frames(interface)) {
        if (frames.size() < kMaxBurst) frames.push_back(std::move(frame));
      }
    }
    received += static_cast<uint32_t>(frames.size());
    proxy.outside.room = noise.one_in(3) ? noise.below(10) : SIZE_MAX;
    proxy.outside.out_of_buffers = noise.one_in(8);
    proxy.up[1] = !noise.one_in(8);
    proxy.at(proxy.context.now_ms + noise.below(700));
    for (const Bytes& frame : frames) {
      if (noise.one_in(10)) {
        explain(proxy.context, interface, frame.data(), static_cast<uint32_t>(frame.size()));
      }
    }
    proxy.poll(interface, frames);
    for (uint16_t slot : {0, 1}) {
      for (const Bytes& frame : proxy.sent(slot)) noise.remember(frame);
    }
    if (noise.one_in(20)) {
      Delta delta;
      change_services<Ipv4>(noise, delta);
      change_services<Ipv6>(noise, delta);
      change_addresses(noise, delta);
      if (noise.one_in(4)) {
        delta.service_network({ip(8, 8, 8, 0), 24}).service_network({ip6("2001:db8:ffff::"), 64});
      } else {
        delta.service_networks_given = true;
      }
      proxy.commit(delta);
    }
  }
  CHECK(proxy.counter(WorkerCounter::rx) == received);
  CHECK(proxy.counter(WorkerCounter::forwarded) > 10'000);
  for (WorkerCounter counter :
       {WorkerCounter::answered, WorkerCounter::originated, WorkerCounter::icmpLimited,
        WorkerCounter::related, WorkerCounter::flowsCreated, WorkerCounter::flowsExpired,
        WorkerCounter::flowsEvicted, WorkerCounter::flowsCleared, WorkerCounter::affinityHits,
        WorkerCounter::masqueraded}) {
    CAPTURE(static_cast<uint32_t>(counter));
    CHECK(proxy.counter(counter) > 50);
  }
  for (uint32_t i = 0; i < kDropReasonCount; i++) {
    const auto reason = static_cast<DropReason>(i);
    // Other workers, interfaces that go, tunnels, policy: none of them is here.
    const bool elsewhere =
        reason == DropReason::handoff_full || reason == DropReason::interface_removed ||
        reason == DropReason::malformed_tunnel || reason == DropReason::tunnel_no_remote ||
        reason == DropReason::tunnel_loop || reason == DropReason::source_spoofed ||
        reason == DropReason::policy_pending || reason == DropReason::policy_denied_egress ||
        reason == DropReason::policy_denied_ingress;
    INFO(std::string(kDropReasonNames[i]));
    CHECK((proxy.drops(reason) > 0) != elsewhere);
  }
}

}  // namespace sluice
