// SPDX-License-Identifier: Apache-2.0
#include "memif/client_session.h"

#include <fcntl.h>
#include <sys/eventfd.h>

#include <algorithm>

namespace sluice::memif {
namespace {

constexpr uint8_t kLog2RingSize = 10;

File another(const File& file) { return File(fcntl(file.get(), F_DUPFD_CLOEXEC, 0)); }

// An empty ring with a buffer for each of its slots, one after the other from `buffers` on.
RingHeader* make_ring(const Region& region, uint32_t offset, uint8_t log2_size, uint32_t buffers) {
  auto* const header = reinterpret_cast<RingHeader*>(region.data() + offset);
  header->cookie = kRingCookie;
  auto* const slots = reinterpret_cast<Descriptor*>(header + 1);
  for (uint32_t n = 0; n < 1u << log2_size; ++n) {
    slots[n] = {0, 0, kBufferBytes, buffers + n * kBufferBytes, 0};
  }
  return header;
}

}  // namespace

ClientSession::ClientSession(Channel channel, Endpoint& endpoint)
    : channel_(std::move(channel)), endpoint_(endpoint) {}

ClientSession::~ClientSession() {
  if (!gone_) channel_.send(disconnect_message("the interface is gone"));
  if (connected_) endpoint_.disconnected();
}

bool ClientSession::advance() {
  for (;;) {
    Channel::State state;
    const std::optional<Received> received = channel_.receive(state);
    if (state == Channel::State::closed) gone_ = true;
    if (!received) return state == Channel::State::open;
    if (received->message.type == MessageType::disconnect) gone_ = true;
    if (gone_ || !take(received->message)) return false;
  }
}

bool ClientSession::take(const Message& message) {
  switch (message.type) {
    case MessageType::hello:
      return answer_hello(message.hello);
    case MessageType::ack:
      return send_next();
    case MessageType::connected:
      return connect();
    default:
      return false;
  }
}

bool ClientSession::answer_hello(const Hello& hello) {
  if (link_ || connected_) return false;
  if (hello.min_version > kVersion || hello.max_version < kVersion) return false;
  const uint32_t queues = endpoint_.identity.queues;
  const auto at_most = [queues](uint16_t highest) {
    return static_cast<uint16_t>(std::min<uint32_t>(queues, highest + 1u));
  };
  return make_link(at_most(hello.max_c2s_ring), at_most(hello.max_s2c_ring),
                   std::min(kLog2RingSize, hello.max_log2_ring_size)) &&
         send_next();
}

bool ClientSession::make_link(uint16_t queues_out, uint16_t queues_in, uint8_t log2_size) {
  const uint32_t rings = queues_out + queues_in;
  const auto ring_size = static_cast<uint32_t>((ring_bytes(log2_size) + 63) & ~size_t{63});
  const uint32_t buffers_size = kBufferBytes << log2_size;
  const uint32_t first_buffer = (rings * ring_size + kBufferBytes - 1) & ~(kBufferBytes - 1);
  std::optional<Region> region = Region::create(first_buffer + uint64_t{rings} * buffers_size);
  if (!region) return false;
  say_init();
  Message add = message_of(MessageType::add_region);
  add.add_region = {0, region->size()};
  outgoing_.push_back({add, another(region->file())});
  link_ = std::make_unique<Link>();
  for (uint16_t ring = 0; ring < rings; ++ring) {
    const bool out = ring < queues_out;
    const uint32_t offset = ring * ring_size;
    File event(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
    if (!event) return false;
    RingHeader* const header =
        make_ring(*region, offset, log2_size, first_buffer + ring * buffers_size);
    say_ring(out ? kRingToServer : uint16_t{0},
             out ? ring : static_cast<uint16_t>(ring - queues_out), offset, log2_size,
             another(event));
    if (out) {
      link_->transmit.emplace_back(header, log2_size, Role::client, std::move(event));
    } else {
      link_->receive.emplace_back(header, log2_size, Role::client);
    }
  }
  say_connect();
  link_->regions.push_back(std::move(*region));
  return true;
}

void ClientSession::say_init() {
  Message message = message_of(MessageType::init);
  Init& init = message.init;
  init.version = kVersion;
  init.id = endpoint_.identity.id;
  init.mode = kEthernetMode;
  endpoint_.identity.secret.copy(init.secret, sizeof(init.secret));
  put_text(init.name, sizeof(init.name), "Sluice");
  outgoing_.push_back({message, {}});
}

void ClientSession::say_ring(uint16_t flags, uint16_t index, uint32_t offset, uint8_t log2_size,
                             File event) {
  Message message = message_of(MessageType::add_ring);
  message.add_ring = {flags, index, 0, offset, log2_size, 0};
  outgoing_.push_back({message, std::move(event)});
}

void ClientSession::say_connect() {
  Message message = message_of(MessageType::connect);
  put_text(message.connect.interface_name, sizeof(message.connect.interface_name),
           endpoint_.identity.name);
  outgoing_.push_back({message, {}});
}

bool ClientSession::send_next() {
  if (outgoing_.empty()) return true;
  const Outgoing next = std::move(outgoing_.front());
  outgoing_.pop_front();
  return channel_.send(next.message, next.file.get());
}

bool ClientSession::connect() {
  if (!link_ || !outgoing_.empty()) return false;
  connected_ = true;
  // Not before: DPDK's server sets head and tail to zero when it connects.
  for (ReceiveRing& ring : link_->receive) ring.give_back(0);
  endpoint_.connected(std::move(link_));
  return true;
}

}  // namespace sluice::memif
