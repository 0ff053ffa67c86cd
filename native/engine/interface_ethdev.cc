// SPDX-License-Identifier: Apache-2.0
#include "engine/interface_ethdev.h"

#include <rte_ethdev.h>

#include <cstring>

#include "engine/device_arguments.h"
#include "engine/netns.h"

namespace sluice {
EthdevInterface::EthdevInterface(const InterfaceRequest& request)
    : Interface(request), request_(request) {}

Result<std::unique_ptr<Interface>> EthdevInterface::make(const InterfaceRequest& request,
                                                         rte_mempool* pool) {
  std::unique_ptr<EthdevInterface> made(new EthdevInterface(request));
  NetnsScope scope;
  if (Status wrong = scope.enter(request.parameter("netns"))) return *wrong;
  if (Status wrong = made->open(pool)) return *wrong;
  made->port_id_ = made->device_->port_id();
  if (!request.has_mac) {
    rte_ether_addr address{};
    rte_eth_macaddr_get(made->port_id_, &address);
    std::memcpy(made->mac, address.addr_bytes, sizeof(made->mac));
  }
  return std::unique_ptr<Interface>(std::move(made));
}

Status EthdevInterface::open(rte_mempool* pool) {
  Result<DeviceArguments> arguments = device_arguments(request_);
  if (!arguments.ok()) return arguments.error();
  Result<std::unique_ptr<EthDevice>> made =
      EthDevice::attach(arguments.value().driver, arguments.value().arguments);
  if (!made.ok()) return made.error();
  device_ = std::move(made.value());
  if (Status wrong = device_->configure(pool, queues)) return wrong;
  if (Status wrong = device_->start()) return wrong;
  if (request_.parameter("kernel") != "blind") return {};
  Result<std::unique_ptr<BlindKernel>> blind = BlindKernel::to(request_.parameter("device"));
  if (!blind.ok()) return blind.error();
  blind_kernel_ = std::move(blind.value());
  return {};
}

EthdevInterface::~EthdevInterface() {
  if (!device_) return;
  NetnsScope scope;
  // The namespace may be gone by now, and its devices with it.
  (void)scope.enter(request_.parameter("netns"));
  device_.reset();
}

uint16_t EthdevInterface::rx(uint16_t queue, rte_mbuf** mbufs, uint16_t count) {
  return rte_eth_rx_burst(port_id_, queue, mbufs, count);
}

uint16_t EthdevInterface::tx(uint16_t queue, rte_mbuf** mbufs, uint16_t count) {
  return rte_eth_tx_burst(port_id_, queue, mbufs, count);
}

bool EthdevInterface::link_up() { return device_->link_up(); }

}  // namespace sluice
