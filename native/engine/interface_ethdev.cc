// SPDX-License-Identifier: Apache-2.0
#include "engine/interface_ethdev.h"

#include <rte_ethdev.h>

#include <cstring>

#include "engine/device_arguments.h"
#include "engine/memif_servers.h"
#include "engine/netns.h"

namespace sluice {
namespace {

// Links are looked at about every 50 ms; a memif client tries again at every tenth look.
constexpr uint32_t kLooksPerRetry = 10;

}  // namespace

EthdevInterface::EthdevInterface(const InterfaceRequest& request)
    : Interface(request), request_(request) {}

Result<std::unique_ptr<Interface>> EthdevInterface::make(const InterfaceRequest& request,
                                                         rte_mempool* pool) {
  std::unique_ptr<EthdevInterface> made(new EthdevInterface(request));
  NetnsScope scope;
  if (Status wrong = scope.enter(made->parameter("netns"))) return *wrong;
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
  if (!is_memif("server")) MemifServers::get().make_room();
  Result<std::unique_ptr<EthDevice>> made =
      is_memif("server") ? MemifServers::get().take(request_, pool)
                         : EthDevice::attach(arguments.value().driver, arguments.value().arguments);
  if (!made.ok()) return made.error();
  device_ = std::move(made.value());
  if (is_memif("server")) return {};
  if (Status wrong = device_->configure(pool, queues)) return wrong;
  Status wrong = device_->start();
  started_.store(!wrong);
  // Its server may come later: link_up() goes on trying.
  return is_memif("client") ? Status{} : wrong;
}

EthdevInterface::~EthdevInterface() {
  if (!device_) return;
  NetnsScope scope;
  // The namespace may be gone by now, and its devices with it.
  (void)scope.enter(parameter("netns"));
  if (is_memif("server")) {
    MemifServers::get().put_back(request_, std::move(device_));
  } else {
    device_.reset();
  }
}

std::string EthdevInterface::parameter(const char* key) const {
  const auto found = request_.parameters.find(key);
  return found == request_.parameters.end() ? std::string() : found->second;
}

bool EthdevInterface::is_memif(const char* role) const {
  return kind == "memif" && parameter("role") == role;
}

uint16_t EthdevInterface::rx(uint16_t queue, rte_mbuf** mbufs, uint16_t count) {
  if (!started_.load(std::memory_order_relaxed)) return 0;
  return rte_eth_rx_burst(port_id_, queue, mbufs, count);
}

uint16_t EthdevInterface::tx(uint16_t queue, rte_mbuf** mbufs, uint16_t count) {
  if (!started_.load(std::memory_order_relaxed)) return 0;
  return rte_eth_tx_burst(port_id_, queue, mbufs, count);
}

bool EthdevInterface::link_up() {
  if (device_->link_up()) return true;
  // DPDK's memif client connects when it is started, and only then. A worker that is just polling
  // it meets ethdev's answer for stopped devices, which is nothing.
  if (is_memif("client") && ++looks_while_down_ % kLooksPerRetry == 0) {
    started_.store(false);
    device_->stop();
    started_.store(!device_->start());
  }
  return false;
}

}  // namespace sluice
