// SPDX-License-Identifier: Apache-2.0
#include "engine/eth_device.h"

#include <rte_dev.h>
#include <rte_errno.h>
#include <rte_ethdev.h>
#include <unistd.h>

#include <algorithm>
#include <array>

namespace sluice {
namespace {

constexpr uint16_t kRingSlots = 1024;

constexpr uint64_t kRssFields =
    RTE_ETH_RSS_IP | RTE_ETH_RSS_TCP | RTE_ETH_RSS_UDP | RTE_ETH_RSS_SCTP;

// Toeplitz with a key that repeats every 16 bits does not tell source from destination: both
// directions of a flow come to one queue. As long as any device's key; drivers keep the pointer.
constexpr auto kSymmetricKey = [] {
  std::array<uint8_t, 128> key{};
  for (size_t i = 0; i < key.size(); ++i) key[i] = i % 2 == 0 ? 0x6d : 0x5a;
  return key;
}();

// Many drivers say -1, which would read as EPERM, for anything that is wrong.
std::string because(int code) {
  return code == -1 ? std::string() : std::string(": ") + rte_strerror(code < 0 ? -code : code);
}

Error cannot_be_set_up(int code) {
  return {"ERR_INTERFACE", "the device cannot be set up" + because(code), ""};
}

rte_eth_conf configuration(const rte_eth_dev_info& info, uint16_t queues) {
  rte_eth_conf conf{};
  const uint64_t fields = kRssFields & info.flow_type_rss_offloads;
  if (queues == 1 || fields == 0) return conf;
  conf.rxmode.mq_mode = RTE_ETH_MQ_RX_RSS;
  rte_eth_rss_conf& rss = conf.rx_adv_conf.rss_conf;
  rss.rss_hf = fields;
  if (info.hash_key_size != 0 && info.hash_key_size <= kSymmetricKey.size()) {
    rss.rss_key = const_cast<uint8_t*>(kSymmetricKey.data());
    rss.rss_key_len = info.hash_key_size;
  }
  return conf;
}

}  // namespace

Result<std::unique_ptr<EthDevice>> EthDevice::attach(const std::string& driver,
                                                     const std::string& arguments) {
  if (rte_eth_dev_count_total() >= RTE_MAX_ETHPORTS) {
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

EthDevice::~EthDevice() {
  if (port_id_ != UINT16_MAX) {
    rte_eth_dev_stop(port_id_);
    rte_eth_dev_close(port_id_);
  }
  rte_eal_hotplug_remove("vdev", name_.c_str());
}

Status EthDevice::configure(rte_mempool* pool, uint16_t queues) {
  rte_eth_dev_info info{};
  int code = rte_eth_dev_info_get(port_id_, &info);
  if (code != 0) return cannot_be_set_up(code);
  const uint16_t most = std::min(info.max_rx_queues, info.max_tx_queues);
  if (queues > most) {
    return Error{"ERR_INTERFACE", "the device has at most " + std::to_string(most) + " queues",
                 "queues"};
  }
  const rte_eth_conf conf = configuration(info, queues);
  code = rte_eth_dev_configure(port_id_, queues, queues, &conf);
  if (code != 0) return cannot_be_set_up(code);
  uint16_t rx_slots = kRingSlots, tx_slots = kRingSlots;
  code = rte_eth_dev_adjust_nb_rx_tx_desc(port_id_, &rx_slots, &tx_slots);
  for (uint16_t queue = 0; code == 0 && queue < queues; ++queue) {
    code = rte_eth_rx_queue_setup(port_id_, queue, rx_slots, SOCKET_ID_ANY, nullptr, pool);
  }
  for (uint16_t queue = 0; code == 0 && queue < queues; ++queue) {
    code = rte_eth_tx_queue_setup(port_id_, queue, tx_slots, SOCKET_ID_ANY, nullptr);
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

bool EthDevice::link_up() const {
  rte_eth_link link{};
  return rte_eth_link_get_nowait(port_id_, &link) == 0 && link.link_status == RTE_ETH_LINK_UP;
}

}  // namespace sluice
