// SPDX-License-Identifier: Apache-2.0
// A connection as its server has it: HELLO, then the client says which interface it wants and what
// memory and rings it has made, each of which is acknowledged, and at last CONNECT.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "memif/channel.h"
#include "memif/endpoint.h"

namespace sluice::memif {

class ServerSession {
 public:
  // The endpoint of this id, or null; and whether it has a session that got further than INIT.
  using Find = std::function<Endpoint*(uint32_t id)>;
  using IsTaken = std::function<bool(const Endpoint*)>;

  ServerSession(Channel channel, Find find, IsTaken is_taken);
  ~ServerSession();  // says goodbye, and takes the link from its endpoint
  ServerSession(const ServerSession&) = delete;
  ServerSession& operator=(const ServerSession&) = delete;

  // `most_queues`: of the interfaces that it may ask for.
  bool greet(uint16_t most_queues);
  // Takes what has come. False: it is over.
  bool advance();

  const Endpoint* endpoint() const { return endpoint_; }
  int descriptor() const { return channel_.descriptor(); }

 private:
  struct RingPlace {
    AddRing ring;
    File event;
  };
  using Rings = std::map<uint16_t, RingPlace>;  // by index

  // Each returns why not, or nothing.
  std::string take(Received received);
  std::string take_init(const Init& init);
  std::string take_region(const AddRegion& add, File file);
  std::string take_ring(const AddRing& add, File event);
  std::string connect();
  RingHeader* header_of(const AddRing& ring) const;
  static bool are_complete(const Rings& rings);
  bool acknowledge() { return channel_.send(message_of(MessageType::ack)); }

  Channel channel_;
  const Find find_;
  const IsTaken is_taken_;
  Endpoint* endpoint_ = nullptr;
  std::vector<Region> regions_;
  Rings to_server_, to_client_;
  bool connected_ = false;
  bool gone_ = false;  // the other side is
};

}  // namespace sluice::memif
