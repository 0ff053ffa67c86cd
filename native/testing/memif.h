// SPDX-License-Identifier: Apache-2.0
// Both sides of memif in one process: who watches, who is connected, a folder for the socket.
#pragma once

#include <doctest/doctest.h>
#include <poll.h>
#include <unistd.h>

#include <cstdlib>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "memif/client_session.h"
#include "memif/listener.h"

namespace sluice::memif {

class TestLoop final : public Loop {
 public:
  void watch(int descriptor, std::function<void()> readable) override {
    watched_[descriptor] = std::move(readable);
  }
  void unwatch(int descriptor) override { watched_.erase(descriptor); }
  // Until nothing more comes.
  void settle() {
    for (;;) {
      std::vector<pollfd> descriptors;
      for (const auto& [descriptor, _] : watched_) descriptors.push_back({descriptor, POLLIN, 0});
      if (poll(descriptors.data(), descriptors.size(), 0) <= 0) return;
      for (const pollfd& one : descriptors) {
        const auto found = watched_.find(one.fd);
        if (one.revents == 0 || found == watched_.end()) continue;
        const std::function<void()> readable = found->second;
        readable();
      }
    }
  }

 private:
  std::map<int, std::function<void()>> watched_;
};

struct TestEndpoint final : Endpoint {
  using Endpoint::Endpoint;
  void connected(std::unique_ptr<Link> made) override { link = std::move(made); }
  void disconnected() override {
    link.reset();
    ++lost;
  }

  std::unique_ptr<Link> link;
  uint32_t lost = 0;
};

// Of one socket.
struct TestSocket {
  TestSocket() {
    char name[] = "/tmp/sluice-memif-XXXXXX";
    folder = mkdtemp(name);
    path = folder + "/memif.sock";
  }
  ~TestSocket() {
    unlink(path.c_str());
    rmdir(folder.c_str());
  }

  std::string folder, path;
};

// A server and a client of ours, connected.
struct TestPair {
  explicit TestPair(uint16_t server_queues = 1, uint16_t client_queues = 1)
      : server({7, "", server_queues, "server"}), client({7, "", client_queues, "client"}) {
    listener = std::move(Listener::make(socket.path, loop).value());
    REQUIRE_FALSE(listener->add(server));
    connect();
  }
  ~TestPair() {
    hang_up();
    listener->remove(server);
  }

  void connect() {
    session = std::make_unique<ClientSession>(*Channel::connect(socket.path), client);
    loop.watch(session->descriptor(), [this] {
      if (!session->advance()) hang_up();
    });
    loop.settle();
  }
  void hang_up() {
    if (!session) return;
    loop.unwatch(session->descriptor());
    session.reset();
  }

  TestSocket socket;
  TestLoop loop;
  TestEndpoint server, client;
  std::shared_ptr<Listener> listener;
  std::unique_ptr<ClientSession> session;
};

}  // namespace sluice::memif
