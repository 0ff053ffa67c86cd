// SPDX-License-Identifier: Apache-2.0
#include "engine/memif_frames.h"

#include <doctest/doctest.h>
#include <poll.h>
#include <rte_mbuf.h>

#include <cstring>
#include <string>

#include "testing/eal.h"
#include "testing/memif.h"

namespace sluice {
namespace {

constexpr uint32_t kRoom = 2048;
constexpr uint16_t kBurst = 64;

struct Rig {
  rte_mempool* pool = [] {
    start_eal();
    return rte_pktmbuf_pool_create("memif", 4095, 0, 0, RTE_PKTMBUF_HEADROOM + kRoom,
                                   SOCKET_ID_ANY);
  }();
  memif::TestPair pair;

  ~Rig() {
    CHECK(rte_mempool_full(pool) == 1);  // nothing is lost that somebody should have freed
    rte_mempool_free(pool);
  }

  rte_mbuf* mbuf(const std::string& frame) {
    rte_mbuf* made = rte_pktmbuf_alloc(pool);
    REQUIRE(made != nullptr);
    std::memcpy(rte_pktmbuf_append(made, static_cast<uint16_t>(frame.size())), frame.data(),
                frame.size());
    return made;
  }
  // Whether it was taken.
  bool send(memif::Link& link, const std::string& frame) {
    rte_mbuf* one = mbuf(frame);
    if (send_frames(link, link.transmit[0], &one, 1) == 1) return true;
    rte_pktmbuf_free(one);
    return false;
  }
  std::vector<std::string> receive(memif::Link& link, uint16_t most = kBurst) {
    rte_mbuf* mbufs[kBurst];
    const uint16_t count = receive_frames(link, link.receive[0], pool, mbufs, most);
    std::vector<std::string> frames;
    for (uint16_t i = 0; i < count; ++i) {
      frames.emplace_back(rte_pktmbuf_mtod(mbufs[i], const char*), mbufs[i]->pkt_len);
      CHECK(mbufs[i]->pkt_len == mbufs[i]->data_len);
      rte_pktmbuf_free(mbufs[i]);
    }
    return frames;
  }
};

std::string frame_of(uint32_t length, uint32_t number) {
  std::string frame(length, '\0');
  for (uint32_t i = 0; i < length; ++i) frame[i] = static_cast<char>(number + i * 7);
  return frame;
}

// As the other side sees it, which writes what it likes.
memif::Descriptor& slot_of(memif::Link& client, uint32_t ring, uint32_t slot) {
  const size_t ring_bytes = memif::ring_bytes(10);
  auto* const header =
      reinterpret_cast<memif::RingHeader*>(client.regions[0].data() + ring * ring_bytes);
  return reinterpret_cast<memif::Descriptor*>(header + 1)[slot];
}
memif::RingHeader& header_of(memif::Link& client, uint32_t ring) {
  return *reinterpret_cast<memif::RingHeader*>(client.regions[0].data() +
                                               ring * memif::ring_bytes(10));
}

}  // namespace

TEST_CASE("frames of all lengths arrive both ways, in order, several times round the rings") {
  Rig rig;
  memif::Link &server = *rig.pair.server.link, &client = *rig.pair.client.link;
  uint32_t number = 0;
  for (uint32_t round = 0; round < 150; ++round) {
    for (auto& [from, to] : {std::pair<memif::Link&, memif::Link&>{server, client},
                             std::pair<memif::Link&, memif::Link&>{client, server}}) {
      std::vector<std::string> sent;
      rte_mbuf* mbufs[kBurst];
      for (auto& one : mbufs) {
        sent.push_back(frame_of(14 + number * 37 % (kRoom - 14), number));
        one = rig.mbuf(sent.back());
        ++number;
      }
      REQUIRE(send_frames(from, from.transmit[0], mbufs, kBurst) == kBurst);
      std::vector<std::string> received = rig.receive(to, 20);
      CHECK(received.size() == 20);
      for (std::string& rest : rig.receive(to)) received.push_back(std::move(rest));
      CHECK(received == sent);
      CHECK(rig.receive(to).empty());
    }
  }
}

TEST_CASE("a full ring takes no more, and goes on when it has been emptied") {
  Rig rig;
  for (auto& [from, to] :
       {std::pair<memif::Link&, memif::Link&>{*rig.pair.server.link, *rig.pair.client.link},
        std::pair<memif::Link&, memif::Link&>{*rig.pair.client.link, *rig.pair.server.link}}) {
    uint32_t taken = 0;
    while (rig.send(from, frame_of(64, taken))) ++taken;
    CHECK(taken == 1024);
    CHECK(rig.receive(to, 2).size() == 2);
    CHECK(rig.send(from, frame_of(64, 1)));
    CHECK(rig.send(from, frame_of(64, 2)));
    CHECK_FALSE(rig.send(from, frame_of(64, 3)));
    while (!rig.receive(to).empty()) continue;
  }
}

TEST_CASE("frames of several slots are put together and cut up") {
  Rig rig;
  memif::Link &server = *rig.pair.server.link, &client = *rig.pair.client.link;
  // The client offers small buffers.
  for (uint32_t slot = 0; slot < 1024; ++slot) slot_of(client, 1, slot).length = 100;
  const std::string frame = frame_of(250, 5);
  CHECK(rig.send(server, frame_of(60, 4)));
  CHECK(rig.send(server, frame));
  CHECK(rig.send(server, frame_of(100, 6)));
  CHECK(slot_of(client, 1, 1).flags == memif::kMoreSlots);
  CHECK(slot_of(client, 1, 3).flags == 0);
  CHECK(rig.receive(client) == std::vector<std::string>{frame_of(60, 4), frame, frame_of(100, 6)});

  // The client's frames as it may write them: two slots, the second of which comes later.
  rig.send(client, frame_of(60, 1));
  rig.send(client, frame_of(70, 2));
  slot_of(client, 0, 0).flags = memif::kMoreSlots;
  CHECK(rig.receive(server) == std::vector<std::string>{frame_of(60, 1) + frame_of(70, 2)});
  rig.send(client, frame_of(60, 3));
  slot_of(client, 0, 2).flags = memif::kMoreSlots;
  CHECK(rig.receive(server).empty());
  rig.send(client, frame_of(70, 4));
  CHECK(rig.receive(server) == std::vector<std::string>{frame_of(60, 3) + frame_of(70, 4)});
}

TEST_CASE("slots that lie nowhere, or hold too much, are frames without a length") {
  Rig rig;
  memif::Link &server = *rig.pair.server.link, &client = *rig.pair.client.link;
  for (int i = 0; i < 6; ++i) rig.send(client, frame_of(64, 9));
  slot_of(client, 0, 0).region = 1;
  slot_of(client, 0, 1).offset = static_cast<uint32_t>(client.regions[0].size()) - 63;
  slot_of(client, 0, 2).length = kRoom + 1;
  slot_of(client, 0, 3).length = ~0u;
  slot_of(client, 0, 3).flags = memif::kMoreSlots;
  const std::string nothing;
  CHECK(rig.receive(server) ==
        std::vector<std::string>{nothing, nothing, nothing, nothing, frame_of(64, 9)});

  // Nor is anything written to such a place.
  slot_of(client, 1, 0).offset = ~0u - 10;
  CHECK_FALSE(rig.send(server, frame_of(64, 1)));
  slot_of(client, 1, 0).region = 65535;
  CHECK_FALSE(rig.send(server, frame_of(64, 1)));
}

TEST_CASE("a head or tail that makes no sense stops the ring and nothing else") {
  Rig rig;
  memif::Link &server = *rig.pair.server.link, &client = *rig.pair.client.link;
  header_of(client, 0).head = 2000;
  CHECK(rig.receive(server).empty());
  header_of(client, 1).head = 5000;
  CHECK_FALSE(rig.send(server, frame_of(64, 1)));
  header_of(client, 1).tail = 3000;
  CHECK(rig.receive(client).empty());
  header_of(client, 0).tail = 4000;
  CHECK_FALSE(rig.send(client, frame_of(64, 1)));
}

TEST_CASE("a receiver that sleeps is woken, one that polls is not") {
  Rig rig;
  memif::Link& server = *rig.pair.server.link;
  memif::RingHeader& header = header_of(*rig.pair.client.link, 1);
  CHECK(header.flags == memif::kReceiverPolls);
  pollfd event{rig.pair.client.link->transmit[0].event(), POLLIN, 0};
  CHECK(poll(&event, 1, 0) == 0);
  header_of(*rig.pair.client.link, 0).flags = 0;
  CHECK(rig.send(*rig.pair.client.link, frame_of(64, 1)));
  CHECK(poll(&event, 1, 0) == 1);
  CHECK(rig.receive(server).size() == 1);
}

TEST_CASE("without buffers nothing is received, and nothing lost") {
  Rig rig;
  memif::Link &server = *rig.pair.server.link, &client = *rig.pair.client.link;
  CHECK(rig.send(client, frame_of(64, 1)));
  std::vector<rte_mbuf*> taken;
  while (rte_mbuf* one = rte_pktmbuf_alloc(rig.pool)) taken.push_back(one);
  CHECK(rig.receive(server).empty());
  for (rte_mbuf* one : taken) rte_pktmbuf_free(one);
  CHECK(rig.receive(server) == std::vector<std::string>{frame_of(64, 1)});
}

}  // namespace sluice
