// SPDX-License-Identifier: Apache-2.0
#include "engine/memif_servers.h"

#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include "engine/device_arguments.h"

namespace sluice {
namespace {

std::string parameter(const InterfaceRequest& request, const char* key) {
  const auto found = request.parameters.find(key);
  return found == request.parameters.end() ? std::string() : found->second;
}

std::string identity_of(const InterfaceRequest& request) {
  return parameter(request, "id") + "\n" + parameter(request, "secret") + "\n" +
         std::to_string(request.queues);
}

// Process number and serial: no two processes, and no two sockets of one, meet.
std::string suffix() {
  static uint64_t serial = 0;
  return "." + std::to_string(getpid()) + "." + std::to_string(serial++);
}

bool move_file(const std::string& from, const std::string& to) {
  return std::rename(from.c_str(), to.c_str()) == 0;
}

}  // namespace

MemifServers& MemifServers::get() {
  static MemifServers* const servers = [] {
    // The process ends, and its devices with it; the files would stay.
    std::atexit([] {
      for (const Spare& spare : get().spares_) unlink(spare.socket.path.c_str());
    });
    return new MemifServers;
  }();
  return *servers;
}

void MemifServers::make_room() {
  if (spares_.empty() || EthDevice::has_room()) return;
  const std::string path = spares_.front().socket.path;
  spares_.pop_front();
  unlink(path.c_str());
}

Result<std::unique_ptr<EthDevice>> MemifServers::take(const InterfaceRequest& request,
                                                      rte_mempool* pool) {
  const std::string path = parameter(request, "socket");
  const auto shared = std::find_if(sockets_.begin(), sockets_.end(),
                                   [&](const Socket& socket) { return socket.path == path; });
  if (shared == sockets_.end()) {
    if (Status wrong = check_server_socket(path)) return *wrong;
    const auto spare = std::find_if(spares_.begin(), spares_.end(), [&](const Spare& candidate) {
      return candidate.identity == identity_of(request);
    });
    if (spare != spares_.end() && move_file(spare->socket.path, path)) {
      std::unique_ptr<EthDevice> device = std::move(spare->device);
      const Socket socket{spare->socket.driver_path, path, 1};
      spares_.erase(spare);
      Status wrong = device->change_pool(pool);
      if (!wrong) wrong = device->start();
      if (wrong) {
        unlink(path.c_str());
        return *wrong;
      }
      sockets_.push_back(socket);
      return device;
    }
  }

  Socket socket{path, path, 0};
  if (shared != sockets_.end()) {
    socket = *shared;
  } else if (const std::string own = path + suffix(); own.size() < sizeof(sockaddr_un::sun_path)) {
    socket.driver_path = own;
  } else {
    unlink(path.c_str());  // left behind by a dead process: it would refuse the bind
  }
  make_room();
  const DeviceArguments arguments = memif_arguments(request, socket.driver_path);
  Result<std::unique_ptr<EthDevice>> made =
      EthDevice::attach(arguments.driver, arguments.arguments);
  if (!made.ok()) return made;
  if (Status wrong = made.value()->configure(pool, request.queues)) return *wrong;
  if (Status wrong = made.value()->start()) return *wrong;
  if (shared != sockets_.end()) {
    ++shared->users;
    return made;
  }
  if (socket.driver_path != path && !move_file(socket.driver_path, path)) {
    return Error{"ERR_INTERFACE", "the socket cannot be made at " + path, "socket"};
  }
  sockets_.push_back({socket.driver_path, path, 1});
  return made;
}

void MemifServers::put_back(const InterfaceRequest& request, std::unique_ptr<EthDevice> device) {
  const std::string path = parameter(request, "socket");
  const auto used = std::find_if(sockets_.begin(), sockets_.end(),
                                 [&](const Socket& socket) { return socket.path == path; });
  if (used == sockets_.end()) return;
  if (--used->users > 0) return;  // the driver drops it from the shared socket, which stays
  Socket socket = *used;
  sockets_.erase(used);
  for (const char* folder : {"/run", "/tmp", "/dev/shm"}) {
    socket.path = folder + std::string("/sluice-memif") + suffix();
    if (socket.driver_path != path && move_file(path, socket.path)) {
      device->stop();
      spares_.push_back({std::move(socket), identity_of(request), std::move(device)});
      return;
    }
  }
  device.reset();
  unlink(path.c_str());
}

}  // namespace sluice
