// SPDX-License-Identifier: Apache-2.0
// One DPDK device that was made by name and arguments, with its queues. Control thread
// only, but for its number, which workers poll.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/result.h"

struct rte_mempool;

namespace sluice {

class EthDevice {
 public:
  // ERR_INTERFACE, ERR_INTERFACE_LIMIT or ERR_PERMISSION.
  static Result<std::unique_ptr<EthDevice>> attach(const std::string& driver,
                                                   const std::string& arguments);
  ~EthDevice();  // stops and detaches
  EthDevice(const EthDevice&) = delete;
  EthDevice& operator=(const EthDevice&) = delete;

  // Queues of each direction, and where received packets go. RSS over addresses and ports where the
  // device has it and there is something to spread over. Once; path `queues`: it has not so many.
  Status configure(rte_mempool* pool, uint16_t queues);
  Status start();
  bool link_up() const;
  uint16_t port_id() const { return port_id_; }

 private:
  explicit EthDevice(std::string name) : name_(std::move(name)) {}

  const std::string name_;  // DPDK's
  uint16_t port_id_ = UINT16_MAX;
};

}  // namespace sluice
