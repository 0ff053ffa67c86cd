// SPDX-License-Identifier: Apache-2.0
// Keeps what comes in by a network device from this node's kernel, for as long as the object lives:
// it neither answers nor forwards what Sluice takes from the device. Packet sockets see packets
// before. What tells the kernel who its neighbours are passes, so that its own packets go on
// finding their way. A netdev table of nf_tables that belongs to a socket: it goes when the process
// ends, in whatever way.
#pragma once

#include <memory>
#include <string>

#include "base/result.h"

namespace sluice {

class BlindKernel {
 public:
  static Result<std::unique_ptr<BlindKernel>> to(const std::string& device);
  ~BlindKernel();
  BlindKernel(const BlindKernel&) = delete;
  BlindKernel& operator=(const BlindKernel&) = delete;

 private:
  explicit BlindKernel(int socket) : socket_(socket) {}
  int socket_;
};

}  // namespace sluice
