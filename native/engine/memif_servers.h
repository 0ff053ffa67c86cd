// SPDX-License-Identifier: Apache-2.0
// Theory of operation. DPDK's memif driver never closes the socket that a server listens on: every
// server that is removed leaves a file descriptor, and in DPDK's interrupt thread a handler whose
// memory is gone (DPDK 22.11, memif_socket_remove_device). So the last device on a
// socket is not removed but put aside, stopped, and taken again for the next server of the same id
// and secret. The driver never sees the user's path: it listens on a name of its own, which is
// renamed to the user's path while the device is in use and to a name in a spare folder while it is
// not. Where that rename cannot be done (other file system, path too long), or where another device
// needs the place, the device is removed as DPDK does it. Control thread only.
#pragma once

#include <list>
#include <memory>
#include <string>

#include "engine/eth_device.h"
#include "engine/interface.h"

namespace sluice {

class MemifServers {
 public:
  // One for the process, like the EAL: what an engine puts back serves the next one.
  static MemifServers& get();

  // A configured, started device that listens at the request's socket.
  Result<std::unique_ptr<EthDevice>> take(const InterfaceRequest& request, rte_mempool* pool);
  // The reverse. `request` is what it was taken with.
  void put_back(const InterfaceRequest& request, std::unique_ptr<EthDevice> device);
  // Gives up a spare device if DPDK has no place for another device otherwise.
  void make_room();

 private:
  MemifServers() = default;
  struct Socket {
    std::string driver_path;  // what the driver was told
    std::string path;         // where the file is
    size_t users = 0;
  };
  struct Spare {
    Socket socket;
    std::string identity;  // id and secret: the driver cannot change them
    std::unique_ptr<EthDevice> device;
  };

  std::list<Socket> sockets_;  // in use
  std::list<Spare> spares_;
};

}  // namespace sluice
