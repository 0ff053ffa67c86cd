// SPDX-License-Identifier: Apache-2.0
// An interface that a DPDK poll-mode driver carries: one ethdev, one queue each way.
#pragma once

#include "engine/interface.h"
#include "engine/netns.h"

namespace sluice {

class EthdevInterface final : public Interface {
 public:
  static Result<std::unique_ptr<Interface>> make(const InterfaceRequest& request,
                                                 rte_mempool* pool);
  ~EthdevInterface() override;

  uint16_t rx(rte_mbuf** mbufs, uint16_t count) override;
  uint16_t tx(rte_mbuf** mbufs, uint16_t count) override;
  bool link_up() override;

 private:
  explicit EthdevInterface(const InterfaceRequest& request);
  Status attach(const std::string& driver, const std::string& arguments);
  Status start(rte_mempool* pool);

  std::string netns_;
  std::string device_;  // DPDK's name; empty: not attached
  uint16_t port_id_ = UINT16_MAX;
};

}  // namespace sluice
