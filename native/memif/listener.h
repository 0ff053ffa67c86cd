// SPDX-License-Identifier: Apache-2.0
// A server's socket, which may be that of several endpoints, each with an id of its own. It lives
// as long as one of them, and its file with it.
#pragma once

#include <list>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "memif/server_session.h"

namespace sluice::memif {

class Listener {
 public:
  // The listener at this path, if there is one.
  static std::shared_ptr<Listener> at(const std::string& path);
  // A new one; whatever is at the path is replaced. ERR_INTERFACE or ERR_PERMISSION, path `socket`.
  static Result<std::shared_ptr<Listener>> make(const std::string& path, Loop& loop);
  ~Listener();
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  // ERR_INTERFACE, path `id`: another one has that id.
  Status add(Endpoint& endpoint);
  void remove(Endpoint& endpoint);

 private:
  Listener(std::string path, File socket, Loop& loop);
  void accept();
  void advance(ServerSession& session);
  Endpoint* find(uint32_t id) const;
  bool is_taken(const Endpoint* endpoint) const;
  void end(const ServerSession& session);

  const std::string path_;
  const File socket_;
  Loop& loop_;
  std::vector<Endpoint*> endpoints_;
  std::list<ServerSession> sessions_;
};

}  // namespace sluice::memif
