// SPDX-License-Identifier: Apache-2.0
// Neighbour discovery: what we answer, what we learn, what RFC 4861 says to discard.
#include "stage/nd.h"

#include "packet/ipv6_address.h"
#include "testing/proxy.h"

namespace sluice {
namespace {

using N = Names<Ipv6>;

const Address kUp = N::up, kClient = N::client;
const Address kUnspecified{};

Mac group_mac(const Address& target) {
  return {0x33, 0x33, 0xff, target.bytes[13], target.bytes[14], target.bytes[15]};
}

// Who has `target`? From the client.
Bytes solicitation(const Address& target, const Bytes& options, const Address& source = kClient) {
  return nd_frame({kClientMac, group_mac(target)}, source, solicited_node(target),
                  kNeighbourSolicitation, target, options);
}
Bytes with_source_mac() { return link_address(kSourceLinkAddress, kClientMac); }
Bytes advertisement(const Address& target, const Bytes& options) {
  return nd_frame(kIn, target, kUp, kNeighbourAdvertisement, target, options);
}

Bytes expected_answer(const Address& target, const Address& to, const Mac& mac, uint32_t flags) {
  return nd_frame({World::mac(0), mac}, target, to, kNeighbourAdvertisement, target,
                  link_address(kTargetLinkAddress, World::mac(0)), flags);
}

struct Link : Proxy {
  Link() : Proxy({.resolved = false}) {}
  bool knows(const Address& address) const {
    const Neighbour* found = neighbours.find(0, address);
    return found != nullptr && found->usable(context.now_ms, context.neighbour_ages);
  }
  // The one answer to a frame.
  Bytes answer_to(const Bytes& frame) {
    const uint64_t before = counter(WorkerCounter::answered);
    poll(0, {frame});
    CHECK(counter(WorkerCounter::answered) == before + 1);
    const auto out = sent(0);
    REQUIRE(out.size() == 1);
    return out[0];
  }
};

}  // namespace

TEST_CASE("a solicitation of our address is answered, and its sender learned") {
  Link link;
  CHECK(link.answer_to(solicitation(kUp, with_source_mac())) ==
        expected_answer(kUp, kClient, kClientMac, 0xe0000000));
  CHECK(link.knows(kClient));
  // Without an option, to our MAC: the frame's source is who is answered. Nobody is learned.
  Link other;
  CHECK(other.answer_to(nd_frame(kIn, kClient, kUp, kNeighbourSolicitation, kUp, {})) ==
        expected_answer(kUp, kClient, kClientMac, 0xe0000000));
  CHECK_FALSE(other.knows(kClient));
}

TEST_CASE("duplicate address detection is answered to all nodes") {
  Link link;
  CHECK(link.answer_to(solicitation(kUp, {}, kUnspecified)) ==
        expected_answer(kUp, kAllNodes, {0x33, 0x33, 0, 0, 0, 1}, 0xa0000000));
  CHECK(link.neighbours.used() == 0);
}

TEST_CASE("the link-local address is ours here, and from there we are asked") {
  Link link;
  const Address own = link_local_of(World::mac(0).data());
  CHECK(own == ip6("fe80::ff:fe00:ee00"));
  const Address theirs = link_local_of(kClientMac.data());
  CHECK(link.answer_to(solicitation(own, with_source_mac(), theirs)) ==
        expected_answer(own, theirs, kClientMac, 0xe0000000));
  CHECK(link.knows(theirs));
  link.expect_drop(DropReason::martian_destination,
                   echo_frame(kIn, N::client, own));  // but nowhere else
}

TEST_CASE("addresses of others are not ours to tell, nor to learn from") {
  Link link;
  link.expect_drop(DropReason::nd_not_for_us, solicitation(N::far, with_source_mac()));
  CHECK_FALSE(link.knows(kClient));
  link.expect_drop(DropReason::nd_not_for_us, solicitation(N::down, with_source_mac()));
  link.expect_drop(DropReason::nd_not_for_us,
                   advertisement(kClient, link_address(kTargetLinkAddress, kClientMac)));
  CHECK(link.neighbours.used() == 0);
  for (uint8_t type : {133, 134, 137}) {
    link.expect_drop(DropReason::nd_not_for_us, nd_frame(kIn, kClient, kUp, type, kUp, {}));
  }
}

TEST_CASE("an advertisement resolves whom packets wait for") {
  Link link;
  const Bytes to_client = udp_frame(kBack, N::pod, 1, N::client, 2);
  link.poll(1, {to_client});
  const auto asked = link.sent(0);
  REQUIRE(asked.size() == 1);
  CHECK(asked[0] == nd_frame({World::mac(0), group_mac(kClient)}, kUp, solicited_node(kClient),
                             kNeighbourSolicitation, kClient,
                             link_address(kSourceLinkAddress, World::mac(0))));
  CHECK(link.counter(WorkerCounter::held) == 1);
  link.poll(0, {advertisement(kClient, {})});  // says nothing
  CHECK(link.drops(DropReason::nd_absorbed) == 1);
  CHECK(link.counter(WorkerCounter::held) == 1);
  link.poll(0, {advertisement(kClient, link_address(kTargetLinkAddress, kClientMac))});
  CHECK(link.drops(DropReason::nd_absorbed) == 2);
  const auto out = link.sent(0);
  REQUIRE(out.size() == 1);
  CHECK(out[0] == hopped(udp_frame(kToClient, N::pod, 1, N::client, 2)));
}

TEST_CASE("without an address on the link, the link-local one asks") {
  Link link;
  link.commit(Delta().address(0, N::up, 128).route(N::far, 128, 0));
  link.poll(1, {udp_frame(kBack, N::pod, 1, N::far, 2)});
  auto asked = link.sent(0);
  REQUIRE(asked.size() == 1);
  CHECK(source_of(asked[0]) == link_local_of(World::mac(0).data()));
}

TEST_CASE("what RFC 4861 says to discard") {
  Link link;
  auto expect = [&](Bytes frame, auto&& change, bool checksum = true) {
    change(frame);
    if (checksum) write_l4_checksum(frame);
    link.expect_drop(DropReason::malformed_nd, frame);
  };
  const Bytes sound = solicitation(kUp, with_source_mac());
  expect(sound, [](Bytes& f) { ip6_of(f).hop_limit = 254; });
  expect(sound, [](Bytes& f) { l4_of<NeighbourMessage>(f).code = 1; });
  expect(
      sound, [](Bytes& f) { f.back() ^= 1; }, false);
  expect(sound, [](Bytes& f) { l4_of<NeighbourMessage>(f).target.bytes[0] = 0xff; });
  auto with_options = [&](const Bytes& options, const Address& source = kClient) {
    expect(solicitation(kUp, options, source), [](Bytes&) {});
  };
  with_options({1, 0, 0, 0, 0, 0, 0, 0});
  with_options({1, 2, 2, 1, 1, 1, 1, 1});
  with_options({14});
  with_options({14, 1, 0, 0, 0, 0, 0});
  with_options({1, 2, 2, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0});
  with_options(link_address(kSourceLinkAddress, Mac{}));
  with_options(link_address(kSourceLinkAddress, kBroadcast));
  with_options(with_source_mac(), kUnspecified);
  expect(nd_frame(kIn, kUnspecified, kUp, kNeighbourSolicitation, kUp, {}), [](Bytes&) {});
  Bytes options = with_source_mac();  // only the first counts, but all have to be sound
  const Bytes second = link_address(kSourceLinkAddress, Mac{});
  options.insert(options.end(), second.begin(), second.end());
  with_options(options);
  // Cut short, at every byte that L4 leaves.
  for (size_t length = 8; length < 24; length++) {
    Bytes cut(sound.begin(), sound.begin() + 54 + static_cast<ptrdiff_t>(length));
    ip6_of(cut).payload_length = be16::from_host(static_cast<uint16_t>(length));
    expect(cut, [](Bytes&) {});
  }
  // An extension header in between.
  Bytes payload{kProtocolIcmpv6, 0, 1, 4, 0, 0, 0, 0};
  payload.insert(payload.end(), sound.begin() + 54, sound.end());
  Bytes extended = ip_frame(kIn, kClient, kUp, kProtocolDestinationOptions, payload);
  ip6_of(extended).hop_limit = 255;
  expect(extended, [](Bytes&) {});
  CHECK(link.neighbours.used() == 0);
}

}  // namespace sluice
