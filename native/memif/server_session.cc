// SPDX-License-Identifier: Apache-2.0
#include "memif/server_session.h"

namespace sluice::memif {
namespace {

bool is_secret(const Init& init, const std::string& secret) {
  if (secret.empty()) return true;
  char field[sizeof(init.secret)]{};
  secret.copy(field, sizeof(field));
  // In the same time whatever it is.
  uint8_t differences = 0;
  for (size_t i = 0; i < sizeof(field); ++i) {
    differences |= static_cast<uint8_t>(field[i] ^ init.secret[i]);
  }
  return differences == 0;
}

}  // namespace

ServerSession::ServerSession(Channel channel, Find find, IsTaken is_taken)
    : channel_(std::move(channel)), find_(std::move(find)), is_taken_(std::move(is_taken)) {}

ServerSession::~ServerSession() {
  if (!gone_) channel_.send(disconnect_message("the interface is gone"));
  if (connected_) endpoint_->disconnected();
}

bool ServerSession::greet(uint16_t most_queues) {
  Message message = message_of(MessageType::hello);
  Hello& hello = message.hello;
  put_text(hello.name, sizeof(hello.name), "Sluice");
  hello.min_version = hello.max_version = kVersion;
  hello.max_region = kMaxRegions - 1;
  hello.max_s2c_ring = hello.max_c2s_ring = static_cast<uint16_t>(most_queues - 1);
  hello.max_log2_ring_size = kMaxLog2RingSize;
  return channel_.send(message);
}

bool ServerSession::advance() {
  for (;;) {
    Channel::State state;
    std::optional<Received> received = channel_.receive(state);
    if (state == Channel::State::closed) gone_ = true;
    if (!received) return state == Channel::State::open;
    if (received->message.type == MessageType::disconnect) gone_ = true;
    if (gone_) return false;
    const std::string refusal = take(std::move(*received));
    if (refusal.empty()) continue;
    channel_.send(disconnect_message(refusal));
    gone_ = true;
    return false;
  }
}

std::string ServerSession::take(Received received) {
  const Message& message = received.message;
  std::string refusal;
  switch (message.type) {
    case MessageType::ack:
      return {};
    case MessageType::init:
      refusal = take_init(message.init);
      break;
    case MessageType::add_region:
      refusal = take_region(message.add_region, std::move(received.file));
      break;
    case MessageType::add_ring:
      refusal = take_ring(message.add_ring, std::move(received.file));
      break;
    case MessageType::connect:
      return connect();
    default:
      return "unexpected message";
  }
  if (refusal.empty() && !acknowledge()) return "no answer possible";
  return refusal;
}

std::string ServerSession::take_init(const Init& init) {
  if (endpoint_) return "unexpected INIT";
  if (init.version != kVersion) return "incompatible version";
  if (init.mode != kEthernetMode) return "only Ethernet mode is supported";
  Endpoint* const wanted = find_(init.id);
  if (!wanted) return "id not found";
  if (!is_secret(init, wanted->identity.secret)) return "incorrect secret";
  if (is_taken_(wanted)) return "already connected";
  endpoint_ = wanted;
  return {};
}

std::string ServerSession::take_region(const AddRegion& add, File file) {
  if (!endpoint_ || connected_) return "unexpected ADD_REGION";
  if (!file) return "missing file of a region";
  if (add.index != regions_.size() || add.index >= kMaxRegions) return "invalid region index";
  std::optional<Region> region = Region::map(std::move(file), add.size);
  if (!region) return "the region cannot be mapped";
  regions_.push_back(std::move(*region));
  return {};
}

std::string ServerSession::take_ring(const AddRing& add, File event) {
  if (!endpoint_ || connected_) return "unexpected ADD_RING";
  if (!event) return "missing file of a ring";
  if (add.index >= endpoint_->identity.queues) return "invalid ring index";
  if (!header_of(add)) return "the ring is not within its region";
  Rings& rings = (add.flags & kRingToServer) != 0 ? to_server_ : to_client_;
  if (!rings.try_emplace(add.index, RingPlace{add, std::move(event)}).second) {
    return "the ring is there already";
  }
  return {};
}

RingHeader* ServerSession::header_of(const AddRing& ring) const {
  if (ring.log2_size > kMaxLog2RingSize || ring.region >= regions_.size()) return nullptr;
  const Region& region = regions_[ring.region];
  if (ring.offset % alignof(RingHeader) != 0 ||
      ring.offset + ring_bytes(ring.log2_size) > region.size()) {
    return nullptr;
  }
  return reinterpret_cast<RingHeader*>(region.data() + ring.offset);
}

bool ServerSession::are_complete(const Rings& rings) {
  return !rings.empty() && rings.rbegin()->first == rings.size() - 1;
}

std::string ServerSession::connect() {
  if (!endpoint_ || connected_) return "unexpected CONNECT";
  if (!are_complete(to_server_) || !are_complete(to_client_)) return "missing rings";
  auto link = std::make_unique<Link>();
  for (const auto& [index, place] : to_server_) {
    RingHeader* const header = header_of(place.ring);
    if (header->cookie != kRingCookie) return "not a ring";
    link->receive.emplace_back(header, place.ring.log2_size, Role::server);
  }
  for (auto& [index, place] : to_client_) {
    RingHeader* const header = header_of(place.ring);
    if (header->cookie != kRingCookie) return "not a ring";
    link->transmit.emplace_back(header, place.ring.log2_size, Role::server, std::move(place.event));
  }
  link->regions = std::move(regions_);
  Message message = message_of(MessageType::connected);
  put_text(message.connect.interface_name, sizeof(message.connect.interface_name),
           endpoint_->identity.name);
  if (!channel_.send(message)) return "no answer possible";
  connected_ = true;
  endpoint_->connected(std::move(link));
  return {};
}

}  // namespace sluice::memif
