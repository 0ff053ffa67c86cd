// SPDX-License-Identifier: Apache-2.0
// The socket between the two sides of a connection: whole messages, each with a file perhaps.
#pragma once

#include <optional>
#include <string>

#include "memif/file.h"
#include "memif/protocol.h"

namespace sluice::memif {

struct Received {
  Message message;
  File file;
};

class Channel {
 public:
  enum class State { open, closed };

  explicit Channel(File socket) : socket_(std::move(socket)) {}

  // To the server at this path, without waiting. Empty: nobody listens there.
  static std::optional<Channel> connect(const std::string& path);

  int descriptor() const { return socket_.get(); }
  // False: the other side is gone or takes nothing.
  bool send(const Message& message, int file = -1);
  // Empty with state `open`: nothing there yet.
  std::optional<Received> receive(State& state);

 private:
  File socket_;
};

Message message_of(MessageType type);
// At most 95 bytes of the reason.
Message disconnect_message(const std::string& reason);
// Fills a field of the protocol; what does not fit is cut, and it always ends with a zero.
void put_text(char* field, size_t size, const std::string& text);

}  // namespace sluice::memif
