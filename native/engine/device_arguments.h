// SPDX-License-Identifier: Apache-2.0
// Which DPDK driver carries an interface of each kind, and with what arguments.
#pragma once

#include <string>

#include "base/result.h"
#include "engine/interface.h"

namespace sluice {

struct DeviceArguments {
  std::string driver;     // "net_memif"
  std::string arguments;  // "role=server,socket=..."
};

// ERR_INTERFACE_KIND for a kind without a driver; ERR_INTERFACE with the parameter as path for a
// file that must be there and is not.
Result<DeviceArguments> device_arguments(const InterfaceRequest& request);

// ERR_INTERFACE with path `socket`: there is none, or it is longer than a socket's path may be.
Status check_socket_path(const InterfaceRequest& request);

// A server's socket wants a writable folder, and nothing at its path but perhaps the socket of a
// dead process: ERR_INTERFACE with path `socket`.
Status check_server_socket(const std::string& path);

}  // namespace sluice
