// SPDX-License-Identifier: Apache-2.0
#include "engine/interface_ethdev.h"

#include <rte_dev.h>
#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_ethdev.h>
#include <unistd.h>

#include <cstring>

#include "engine/device_arguments.h"

namespace sluice {
namespace {

constexpr uint16_t kRingSlots = 1024;

std::string reason(int code) { return rte_strerror(code < 0 ? -code : code); }

}  // namespace

EthdevInterface::EthdevInterface(const InterfaceRequest& request) : Interface(request) {
  const auto found = request.parameters.find("netns");
  if (found != request.parameters.end()) netns_ = found->second;
}

Result<std::unique_ptr<Interface>> EthdevInterface::make(const InterfaceRequest& request,
                                                         rte_mempool* pool) {
  Result<DeviceArguments> arguments = device_arguments(request);
  if (!arguments.ok()) return arguments.error();
  if (rte_eth_dev_count_total() >= RTE_MAX_ETHPORTS) {
    return Error{"ERR_INTERFACE_LIMIT",
                 "this DPDK carries at most " + std::to_string(RTE_MAX_ETHPORTS) + " devices",
                 "kind"};
  }
  std::unique_ptr<EthdevInterface> made(new EthdevInterface(request));
  NetnsScope scope;
  if (Status wrong = scope.enter(made->netns_)) return *wrong;
  if (Status wrong = made->attach(arguments.value().driver, arguments.value().arguments)) {
    return *wrong;
  }
  if (Status wrong = made->start(pool)) return *wrong;
  if (!request.has_mac) {
    rte_ether_addr address{};
    rte_eth_macaddr_get(made->port_id_, &address);
    std::memcpy(made->mac, address.addr_bytes, sizeof(made->mac));
  }
  return std::unique_ptr<Interface>(std::move(made));
}

Status EthdevInterface::attach(const std::string& driver, const std::string& arguments) {
  // A name is never used twice, so that nothing of a removed device can be mistaken for ours.
  static uint64_t serial = 0;
  const std::string device = driver + "_sluice" + std::to_string(serial++);
  const int attached = rte_eal_hotplug_add("vdev", device.c_str(), arguments.c_str());
  if (attached != 0) {
    // Many drivers say -1, which is EPERM, for anything that is wrong.
    const bool denied = attached == -EACCES || (attached == -EPERM && geteuid() != 0);
    return Error{denied ? "ERR_PERMISSION" : "ERR_INTERFACE",
                 driver + " refuses " + arguments +
                     (attached == -1 ? std::string() : ": " + reason(attached)),
                 ""};
  }
  device_ = device;
  if (rte_eth_dev_get_port_by_name(device.c_str(), &port_id_) != 0) {
    return Error{"ERR_INTERFACE", driver + " made no device for " + arguments, ""};
  }
  return {};
}

Status EthdevInterface::start(rte_mempool* pool) {
  rte_eth_dev_info info{};
  rte_eth_conf conf{};
  int code = rte_eth_dev_info_get(port_id_, &info);
  if (code == 0) code = rte_eth_dev_configure(port_id_, 1, 1, &conf);
  uint16_t rx_slots = kRingSlots, tx_slots = kRingSlots;
  if (code == 0) code = rte_eth_dev_adjust_nb_rx_tx_desc(port_id_, &rx_slots, &tx_slots);
  if (code == 0) {
    code = rte_eth_rx_queue_setup(port_id_, 0, rx_slots, SOCKET_ID_ANY, nullptr, pool);
  }
  if (code == 0) code = rte_eth_tx_queue_setup(port_id_, 0, tx_slots, SOCKET_ID_ANY, nullptr);
  if (code == 0) code = rte_eth_dev_start(port_id_);
  if (code != 0) {
    return Error{"ERR_INTERFACE", kind + " " + name + " does not start: " + reason(code), ""};
  }
  // Frames for our MAC must come in even where it is not the device's; not every driver has the
  // switch.
  rte_eth_promiscuous_enable(port_id_);
  return {};
}

EthdevInterface::~EthdevInterface() {
  if (device_.empty()) return;
  NetnsScope scope;
  // The namespace may be gone by now, and its devices with it.
  (void)scope.enter(netns_);
  if (port_id_ != UINT16_MAX) {
    rte_eth_dev_stop(port_id_);
    rte_eth_dev_close(port_id_);
  }
  rte_eal_hotplug_remove("vdev", device_.c_str());
}

uint16_t EthdevInterface::rx(rte_mbuf** mbufs, uint16_t count) {
  return rte_eth_rx_burst(port_id_, 0, mbufs, count);
}

uint16_t EthdevInterface::tx(rte_mbuf** mbufs, uint16_t count) {
  return rte_eth_tx_burst(port_id_, 0, mbufs, count);
}

bool EthdevInterface::link_up() {
  rte_eth_link link{};
  return rte_eth_link_get_nowait(port_id_, &link) == 0 && link.link_status == RTE_ETH_LINK_UP;
}

}  // namespace sluice
