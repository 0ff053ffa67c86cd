// SPDX-License-Identifier: Apache-2.0
#include "engine/eth_device.h"

#include <rte_dev.h>
#include <rte_errno.h>
#include <rte_ethdev.h>
#include <unistd.h>

namespace sluice {
namespace {

constexpr uint16_t kRingSlots = 1024;

// Many drivers say -1, which would read as EPERM, for anything that is wrong.
std::string because(int code) {
  return code == -1 ? std::string() : std::string(": ") + rte_strerror(code < 0 ? -code : code);
}

Error cannot_be_set_up(int code) {
  return {"ERR_INTERFACE", "the device cannot be set up" + because(code), ""};
}

}  // namespace

Result<std::unique_ptr<EthDevice>> EthDevice::attach(const std::string& driver,
                                                     const std::string& arguments) {
  if (!has_room()) {
    return Error{"ERR_INTERFACE_LIMIT",
                 "this DPDK carries at most " + std::to_string(RTE_MAX_ETHPORTS) + " devices",
                 "kind"};
  }
  // A name is never used twice, so that nothing of a removed device can be mistaken for ours.
  static uint64_t serial = 0;
  const std::string name = driver + "_sluice" + std::to_string(serial++);
  const int attached = rte_eal_hotplug_add("vdev", name.c_str(), arguments.c_str());
  if (attached != 0) {
    const bool denied = attached == -EACCES || (attached == -EPERM && geteuid() != 0);
    return Error{denied ? "ERR_PERMISSION" : "ERR_INTERFACE",
                 driver + " refuses " + arguments + because(attached), ""};
  }
  std::unique_ptr<EthDevice> device(new EthDevice(name));
  if (rte_eth_dev_get_port_by_name(name.c_str(), &device->port_id_) != 0) {
    return Error{"ERR_INTERFACE", driver + " made no device for " + arguments, ""};
  }
  return device;
}

bool EthDevice::has_room() { return rte_eth_dev_count_total() < RTE_MAX_ETHPORTS; }

EthDevice::~EthDevice() {
  if (port_id_ != UINT16_MAX) {
    rte_eth_dev_stop(port_id_);
    rte_eth_dev_close(port_id_);
  }
  rte_eal_hotplug_remove("vdev", name_.c_str());
}

Status EthDevice::configure(rte_mempool* pool) {
  const rte_eth_conf conf{};
  const int configured = rte_eth_dev_configure(port_id_, 1, 1, &conf);
  if (configured != 0) return cannot_be_set_up(configured);
  if (Status wrong = change_pool(pool)) return wrong;
  uint16_t rx_slots = kRingSlots, tx_slots = kRingSlots;
  int code = rte_eth_dev_adjust_nb_rx_tx_desc(port_id_, &rx_slots, &tx_slots);
  if (code == 0) code = rte_eth_tx_queue_setup(port_id_, 0, tx_slots, SOCKET_ID_ANY, nullptr);
  return code == 0 ? Status{} : cannot_be_set_up(code);
}

Status EthDevice::change_pool(rte_mempool* pool) {
  uint16_t rx_slots = kRingSlots, tx_slots = kRingSlots;
  int code = rte_eth_dev_adjust_nb_rx_tx_desc(port_id_, &rx_slots, &tx_slots);
  if (code == 0) {
    code = rte_eth_rx_queue_setup(port_id_, 0, rx_slots, SOCKET_ID_ANY, nullptr, pool);
  }
  return code == 0 ? Status{} : cannot_be_set_up(code);
}

Status EthDevice::start() {
  const int code = rte_eth_dev_start(port_id_);
  if (code != 0) return Error{"ERR_INTERFACE", "the device does not start" + because(code), ""};
  // Frames for our MAC must come in even where it is not the device's; not every driver has the
  // switch.
  rte_eth_promiscuous_enable(port_id_);
  return {};
}

void EthDevice::stop() { rte_eth_dev_stop(port_id_); }

bool EthDevice::link_up() const {
  rte_eth_link link{};
  return rte_eth_link_get_nowait(port_id_, &link) == 0 && link.link_status == RTE_ETH_LINK_UP;
}

}  // namespace sluice
