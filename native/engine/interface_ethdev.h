// SPDX-License-Identifier: Apache-2.0
// An interface that a DPDK poll-mode driver carries: one ethdev.
#pragma once

#include "engine/blind_kernel.h"
#include "engine/eth_device.h"
#include "engine/interface.h"

namespace sluice {

class EthdevInterface final : public Interface {
 public:
  static Result<std::unique_ptr<Interface>> make(const InterfaceRequest& request,
                                                 rte_mempool* pool);
  ~EthdevInterface() override;

  uint16_t rx(uint16_t queue, rte_mbuf** mbufs, uint16_t count) override;
  uint16_t tx(uint16_t queue, rte_mbuf** mbufs, uint16_t count) override;
  bool link_up() override;

 private:
  explicit EthdevInterface(const InterfaceRequest& request);
  Status open(rte_mempool* pool);

  const InterfaceRequest request_;
  std::unique_ptr<BlindKernel> blind_kernel_;  // goes last: better a packet lost than one twice
  std::unique_ptr<EthDevice> device_;
  uint16_t port_id_ = UINT16_MAX;
};

}  // namespace sluice
