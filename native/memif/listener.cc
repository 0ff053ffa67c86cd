// SPDX-License-Identifier: Apache-2.0
#include "memif/listener.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <map>

namespace sluice::memif {
namespace {

constexpr int kBacklog = 64;
// Who connects and says nothing must not use up the process's files.
constexpr size_t kMostUnbound = 64;

std::map<std::string, std::weak_ptr<Listener>>& listeners() {
  static auto* const all = new std::map<std::string, std::weak_ptr<Listener>>;
  return *all;
}

Error cannot_listen(const std::string& path) {
  const bool denied = errno == EACCES || errno == EPERM;
  return {denied ? "ERR_PERMISSION" : "ERR_INTERFACE", path + ": " + std::strerror(errno),
          "socket"};
}

}  // namespace

std::shared_ptr<Listener> Listener::at(const std::string& path) {
  const auto found = listeners().find(path);
  return found == listeners().end() ? nullptr : found->second.lock();
}

Result<std::shared_ptr<Listener>> Listener::make(const std::string& path, Loop& loop) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof(address.sun_path) - 1);
  File file(socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!file) return cannot_listen(path);
  unlink(path.c_str());
  const auto* const to = reinterpret_cast<const sockaddr*>(&address);
  if (bind(file.get(), to, sizeof(address)) != 0 || listen(file.get(), kBacklog) != 0) {
    return cannot_listen(path);
  }
  std::shared_ptr<Listener> made(new Listener(path, std::move(file), loop));
  listeners()[path] = made;
  return made;
}

Listener::Listener(std::string path, File socket, Loop& loop)
    : path_(std::move(path)), socket_(std::move(socket)), loop_(loop) {
  loop_.watch(socket_.get(), [this] { accept(); });
}

Listener::~Listener() {
  loop_.unwatch(socket_.get());
  for (const ServerSession& session : sessions_) loop_.unwatch(session.descriptor());
  unlink(path_.c_str());
  listeners().erase(path_);
}

Status Listener::add(Endpoint& endpoint) {
  if (find(endpoint.identity.id)) {
    return Error{
        "ERR_INTERFACE",
        "another interface on " + path_ + " has id " + std::to_string(endpoint.identity.id), "id"};
  }
  endpoints_.push_back(&endpoint);
  return {};
}

void Listener::remove(Endpoint& endpoint) {
  for (const ServerSession& session : sessions_) {
    if (session.endpoint() != &endpoint) continue;
    end(session);
    break;
  }
  std::erase(endpoints_, &endpoint);
}

void Listener::accept() {
  File file(accept4(socket_.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
  if (!file) return;
  const auto unbound = std::count_if(sessions_.begin(), sessions_.end(),
                                     [](const ServerSession& one) { return !one.endpoint(); });
  if (static_cast<size_t>(unbound) >= kMostUnbound || endpoints_.empty()) return;
  ServerSession& session = sessions_.emplace_back(
      Channel(std::move(file)), [this](uint32_t id) { return find(id); },
      [this](const Endpoint* endpoint) { return is_taken(endpoint); });
  uint16_t most_queues = 1;
  for (const Endpoint* one : endpoints_) {
    most_queues = std::max(most_queues, one->identity.queues);
  }
  loop_.watch(session.descriptor(), [this, &session] { advance(session); });
  if (!session.greet(most_queues)) end(session);
}

void Listener::advance(ServerSession& session) {
  if (!session.advance()) end(session);
}

Endpoint* Listener::find(uint32_t id) const {
  const auto found = std::find_if(endpoints_.begin(), endpoints_.end(),
                                  [id](const Endpoint* one) { return one->identity.id == id; });
  return found == endpoints_.end() ? nullptr : *found;
}

bool Listener::is_taken(const Endpoint* endpoint) const {
  return std::any_of(sessions_.begin(), sessions_.end(),
                     [endpoint](const ServerSession& one) { return one.endpoint() == endpoint; });
}

void Listener::end(const ServerSession& session) {
  loop_.unwatch(session.descriptor());
  sessions_.remove_if([&](const ServerSession& one) { return &one == &session; });
}

}  // namespace sluice::memif
