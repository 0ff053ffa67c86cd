// SPDX-License-Identifier: Apache-2.0
#include "memif/channel.h"

#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace sluice::memif {
namespace {

constexpr int kMostFiles = 4;  // what one message may bring before the kernel cuts it

File first_of(const msghdr& header) {
  File first;
  for (cmsghdr* part = CMSG_FIRSTHDR(&header); part != nullptr;
       part = CMSG_NXTHDR(const_cast<msghdr*>(&header), part)) {
    if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS) continue;
    const size_t count = (part->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (size_t i = 0; i < count; ++i) {
      int descriptor = -1;
      std::memcpy(&descriptor, CMSG_DATA(part) + i * sizeof(int), sizeof(int));
      File file(descriptor);
      if (!first) first = std::move(file);
    }
  }
  return first;
}

}  // namespace

std::optional<Channel> Channel::connect(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof(address.sun_path)) return {};
  std::memcpy(address.sun_path, path.data(), path.size());
  File file(socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!file) return {};
  const auto* const to = reinterpret_cast<const sockaddr*>(&address);
  if (::connect(file.get(), to, sizeof(address)) != 0) return {};
  return Channel(std::move(file));
}

bool Channel::send(const Message& message, int file) {
  iovec piece{const_cast<Message*>(&message), sizeof(message)};
  msghdr header{};
  header.msg_iov = &piece;
  header.msg_iovlen = 1;
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))]{};
  if (file >= 0) {
    header.msg_control = control;
    header.msg_controllen = sizeof(control);
    cmsghdr* const part = CMSG_FIRSTHDR(&header);
    part->cmsg_len = CMSG_LEN(sizeof(int));
    part->cmsg_level = SOL_SOCKET;
    part->cmsg_type = SCM_RIGHTS;
    std::memcpy(CMSG_DATA(part), &file, sizeof(file));
  }
  return sendmsg(socket_.get(), &header, MSG_NOSIGNAL | MSG_DONTWAIT) == sizeof(message);
}

std::optional<Received> Channel::receive(State& state) {
  Received received{};
  iovec piece{&received.message, sizeof(received.message)};
  msghdr header{};
  header.msg_iov = &piece;
  header.msg_iovlen = 1;
  alignas(cmsghdr) char control[CMSG_SPACE(kMostFiles * sizeof(int))]{};
  header.msg_control = control;
  header.msg_controllen = sizeof(control);
  const ssize_t size = recvmsg(socket_.get(), &header, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
  if (size < 0 && (errno == EAGAIN || errno == EINTR)) {
    state = State::open;
    return {};
  }
  received.file = size < 0 ? File() : first_of(header);
  state = size == sizeof(received.message) ? State::open : State::closed;
  if (state == State::closed) return {};
  return received;
}

Message message_of(MessageType type) {
  Message message{};
  message.type = type;
  return message;
}

Message disconnect_message(const std::string& reason) {
  Message message = message_of(MessageType::disconnect);
  put_text(message.disconnect.reason, sizeof(message.disconnect.reason), reason);
  return message;
}

void put_text(char* field, size_t size, const std::string& text) {
  const size_t length = std::min(text.size(), size - 1);
  std::memcpy(field, text.data(), length);
  std::memset(field + length, 0, size - length);
}

}  // namespace sluice::memif
