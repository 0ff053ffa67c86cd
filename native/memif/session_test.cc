// SPDX-License-Identifier: Apache-2.0
// Connections: how they are made, refused and lost. The peer is our own client, or a hand that
// writes messages.
#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <cstring>
#include <functional>

#include "testing/memif.h"

namespace sluice::memif {
namespace {

// What a client sends by hand, in order, until the server is against it.
class Hand {
 public:
  explicit Hand(const std::string& secret = "", uint16_t queues = 1)
      : endpoint_({7, secret, queues, "server"}) {
    listener_ = std::move(Listener::make(socket_.path, loop_).value());
    REQUIRE_FALSE(listener_->add(endpoint_));
    channel_.emplace(*Channel::connect(socket_.path));
    loop_.settle();
    REQUIRE(hear() == MessageType::hello);
  }
  ~Hand() { listener_->remove(endpoint_); }

  MessageType say(const Message& message, int file = -1) {
    REQUIRE(channel_->send(message, file));
    loop_.settle();
    return hear();
  }
  MessageType hear() {
    Channel::State state;
    const std::optional<Received> received = channel_->receive(state);
    if (!received) return MessageType::none;
    if (received->message.type == MessageType::disconnect) {
      reason = received->message.disconnect.reason;
    }
    if (received->message.type == MessageType::hello) hello = received->message.hello;
    return received->message.type;
  }
  bool is_connected() const { return endpoint_.link != nullptr; }

  Hello hello{};
  std::string reason;

 private:
  TestSocket socket_;
  TestLoop loop_;
  TestEndpoint endpoint_;
  std::shared_ptr<Listener> listener_;
  std::optional<Channel> channel_;
};

Message init(uint32_t id = 7, const char* secret = "", uint16_t version = kVersion,
             uint8_t mode = kEthernetMode) {
  Message message = message_of(MessageType::init);
  message.init.version = version;
  message.init.id = id;
  message.init.mode = mode;
  std::memcpy(message.init.secret, secret, std::strlen(secret));
  return message;
}
Message region(uint16_t index, uint64_t size) {
  Message message = message_of(MessageType::add_region);
  message.add_region = {index, size};
  return message;
}
Message ring(uint16_t flags, uint32_t offset, uint8_t log2_size = 4, uint16_t index = 0,
             uint16_t of_region = 0) {
  Message message = message_of(MessageType::add_ring);
  message.add_ring = {flags, index, of_region, offset, log2_size, 0};
  return message;
}

constexpr uint64_t kSize = 64 * 1024;
constexpr uint32_t kSecondRing = 4096;

struct Memory {
  Region bytes = *Region::create(kSize);
  File event{eventfd(0, EFD_CLOEXEC)};
  int file() const { return bytes.file().get(); }
  RingHeader* header(uint32_t offset) const {
    return reinterpret_cast<RingHeader*>(bytes.data() + offset);
  }
};

}  // namespace

TEST_CASE("a server and a client agree on rings, and either may leave and come back") {
  TestPair pair;
  REQUIRE(pair.server.link);
  REQUIRE(pair.client.link);
  CHECK(pair.session->is_connected());
  CHECK(pair.server.link->receive.size() == 1);
  CHECK(pair.server.link->transmit.size() == 1);
  CHECK(pair.server.link->receive[0].full() == 0);
  CHECK(pair.server.link->transmit[0].empty() == 1024);
  CHECK(pair.client.link->transmit[0].empty() == 1024);

  pair.hang_up();
  CHECK(pair.client.lost == 1);
  pair.loop.settle();
  CHECK(pair.server.lost == 1);
  CHECK_FALSE(pair.server.link);

  pair.connect();
  REQUIRE(pair.server.link);
  pair.listener->remove(pair.server);
  CHECK(pair.server.lost == 2);
  pair.loop.settle();
  CHECK_FALSE(pair.session);
  CHECK(pair.client.lost == 2);
  REQUIRE_FALSE(pair.listener->add(pair.server));
}

TEST_CASE("of different numbers of queues the smaller one holds") {
  for (const auto& [ours, theirs] : {std::pair{1, 4}, {4, 1}, {3, 3}}) {
    TestPair pair(static_cast<uint16_t>(ours), static_cast<uint16_t>(theirs));
    const size_t both = static_cast<size_t>(std::min(ours, theirs));
    REQUIRE(pair.server.link);
    REQUIRE(pair.client.link);
    for (const Link* link : {pair.server.link.get(), pair.client.link.get()}) {
      CHECK(link->receive.size() == both);
      CHECK(link->transmit.size() == both);
    }
  }
}

TEST_CASE("one socket serves several ids, and an id is one interface's") {
  TestSocket socket;
  TestLoop loop;
  TestEndpoint one({1, "", 1, "one"}), two({2, "", 1, "two"}), again({2, "", 1, "again"});
  auto listener = std::move(Listener::make(socket.path, loop).value());
  CHECK(Listener::at(socket.path) == listener);
  REQUIRE_FALSE(listener->add(one));
  REQUIRE_FALSE(listener->add(two));
  const Status refused = listener->add(again);
  REQUIRE(refused);
  CHECK(refused->path == "id");

  TestEndpoint client({2, "", 1, "client"});
  ClientSession session(*Channel::connect(socket.path), client);
  loop.watch(session.descriptor(), [&] { session.advance(); });
  loop.settle();
  CHECK(two.link);
  CHECK_FALSE(one.link);
  loop.unwatch(session.descriptor());
  listener->remove(one);
  listener->remove(two);
  listener.reset();
  CHECK(Listener::at(socket.path) == nullptr);
  struct stat status {};
  CHECK(stat(socket.path.c_str(), &status) != 0);  // the file goes with it
}

TEST_CASE("the server says how many rings it has room for") {
  Hand hand("", 3);
  CHECK(+hand.hello.max_c2s_ring == 2);
  CHECK(+hand.hello.max_s2c_ring == 2);
}

TEST_CASE("a client is refused for a reason") {
  struct Case {
    const char* reason;
    Message message;
  };
  for (const Case& c : {Case{"id not found", init(8)},
                        {"incorrect secret", init(7, "wrong")},
                        {"incorrect secret", init(7, "secre")},
                        {"incorrect secret", init(7, "")},
                        {"incompatible version", init(7, "secret", 1)},
                        {"only Ethernet mode is supported", init(7, "secret", kVersion, 1)},
                        {"unexpected CONNECT", message_of(MessageType::connect)},
                        {"unexpected ADD_REGION", region(0, kSize)},
                        {"unexpected ADD_RING", ring(0, 0)},
                        {"unexpected message", message_of(MessageType::hello)},
                        {"unexpected message", message_of(static_cast<MessageType>(77))}}) {
    Hand hand("secret");
    CHECK(hand.say(c.message) == MessageType::disconnect);
    CHECK(hand.reason == c.reason);
  }
  Hand hand("secret");
  CHECK(hand.say(init(7, "secret")) == MessageType::ack);
  CHECK(hand.say(init(7, "secret")) == MessageType::disconnect);
}

TEST_CASE("an interface has one peer at a time") {
  TestPair pair;
  TestEndpoint second({7, "", 1, "second"});
  ClientSession session(*Channel::connect(pair.socket.path), second);
  bool goes_on = true;
  pair.loop.watch(session.descriptor(), [&] {
    goes_on = session.advance();
    if (!goes_on) pair.loop.unwatch(session.descriptor());
  });
  pair.loop.settle();
  CHECK_FALSE(goes_on);
  CHECK_FALSE(second.link);
  CHECK(pair.server.link);
}

TEST_CASE("memory and rings that are not what they are said to be are refused") {
  const Memory memory;
  memory.header(0)->cookie = kRingCookie;
  memory.header(kSecondRing)->cookie = kRingCookie;
  const int event = memory.event.get();
  int pipes[2];
  REQUIRE(pipe(pipes) == 0);
  const File in(pipes[0]), out(pipes[1]);
  struct Step {
    Message message;
    int file;
  };
  struct Case {
    const char* reason;
    std::vector<Step> steps;  // after INIT; all but the last one are acknowledged
  };
  const Step whole{region(0, kSize), memory.file()};
  const Step to_server{ring(kRingToServer, 0), event}, to_client{ring(0, kSecondRing), event};
  const Message connect = message_of(MessageType::connect);
  for (const Case& c : std::vector<Case>{
           {"missing file of a region", {{region(0, kSize), -1}}},
           {"invalid region index", {{region(1, kSize), memory.file()}}},
           {"the region cannot be mapped", {{region(0, kSize + 1), memory.file()}}},
           {"the region cannot be mapped", {{region(0, 0), memory.file()}}},
           {"the region cannot be mapped", {{region(0, 4096), in.get()}}},
           {"missing file of a ring", {whole, {ring(0, 0), -1}}},
           {"invalid ring index", {whole, {ring(0, 0, 4, 1), event}}},
           {"the ring is not within its region", {whole, {ring(0, 0, 4, 0, 1), event}}},
           {"the ring is not within its region", {whole, {ring(0, 0, 12), event}}},
           {"the ring is not within its region", {whole, {ring(0, 0, 15), event}}},
           {"the ring is not within its region", {whole, {ring(0, 0, 255), event}}},
           {"the ring is not within its region", {whole, {ring(0, kSize - 64), event}}},
           {"the ring is not within its region", {whole, {ring(0, ~0u - 63), event}}},
           {"the ring is not within its region", {whole, {ring(0, 8), event}}},
           {"the ring is there already", {whole, to_server, to_server}},
           {"missing rings", {whole, to_server, {connect, -1}}},
           {"missing rings", {whole, to_client, {connect, -1}}},
           {"not a ring", {whole, to_server, {ring(0, 2 * kSecondRing), event}, {connect, -1}}}}) {
    Hand hand;
    REQUIRE(hand.say(init()) == MessageType::ack);
    for (size_t i = 0; i + 1 < c.steps.size(); ++i) {
      REQUIRE(hand.say(c.steps[i].message, c.steps[i].file) == MessageType::ack);
    }
    CHECK(hand.say(c.steps.back().message, c.steps.back().file) == MessageType::disconnect);
    CHECK(hand.reason == c.reason);
    CHECK_FALSE(hand.is_connected());
  }

  Hand hand;
  REQUIRE(hand.say(init()) == MessageType::ack);
  for (const Step& step : {whole, to_server, to_client}) {
    REQUIRE(hand.say(step.message, step.file) == MessageType::ack);
  }
  CHECK(hand.say(connect) == MessageType::connected);
  CHECK(hand.is_connected());
  // What comes after is as bad as what came before.
  CHECK(hand.say(region(1, kSize), memory.file()) == MessageType::disconnect);
  CHECK_FALSE(hand.is_connected());
}

TEST_CASE("our own memory cannot be made shorter under a server") {
  const Memory memory;
  CHECK(ftruncate(memory.file(), 0) != 0);
  CHECK((fcntl(memory.file(), F_GET_SEALS) & F_SEAL_SHRINK) != 0);
}

TEST_CASE("who only connects does not use up the listener") {
  TestPair pair;
  std::vector<Channel> idle;
  for (int i = 0; i < 80; ++i) {
    idle.push_back(*Channel::connect(pair.socket.path));
    pair.loop.settle();
  }
  Channel::State state;
  (void)idle.back().receive(state);
  CHECK(state == Channel::State::closed);  // there are enough that say nothing
  pair.hang_up();
  idle.clear();
  pair.loop.settle();
  pair.connect();
  CHECK(pair.server.link);
}

}  // namespace sluice::memif
