// SPDX-License-Identifier: Apache-2.0
// A connection as its client has it, who makes the memory: rings first, then a buffer for each of
// their slots. What it has to say goes out one message after the other, each once the one before
// is acknowledged.
#pragma once

#include <deque>
#include <memory>
#include <optional>

#include "memif/channel.h"
#include "memif/endpoint.h"

namespace sluice::memif {

class ClientSession {
 public:
  ClientSession(Channel channel, Endpoint& endpoint);
  ~ClientSession();  // says goodbye, and takes the link from its endpoint
  ClientSession(const ClientSession&) = delete;
  ClientSession& operator=(const ClientSession&) = delete;

  // Takes what has come. False: it is over.
  bool advance();
  bool is_connected() const { return connected_; }
  int descriptor() const { return channel_.descriptor(); }

 private:
  struct Outgoing {
    Message message;
    File file;
  };

  bool take(const Message& message);
  bool answer_hello(const Hello& hello);
  bool make_link(uint16_t queues_out, uint16_t queues_in, uint8_t log2_size);
  void say_init();
  void say_ring(uint16_t flags, uint16_t index, uint32_t offset, uint8_t log2_size, File event);
  void say_connect();
  bool send_next();
  bool connect();

  Channel channel_;
  Endpoint& endpoint_;
  std::unique_ptr<Link> link_;  // until it is the endpoint's
  std::deque<Outgoing> outgoing_;
  bool connected_ = false;
  bool gone_ = false;  // the other side is
};

}  // namespace sluice::memif
