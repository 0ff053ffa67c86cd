// SPDX-License-Identifier: Apache-2.0
#include "generator/port.h"

#include <fcntl.h>
#include <rte_dev.h>
#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_memory.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <chrono>

#include "base/device_text.h"
#include "generator/frame.h"
#include "generator/population.h"

namespace sluice::generator {
namespace {

using namespace std::chrono_literals;

constexpr auto kLinkTimeout = 10s;
constexpr useconds_t kLookIntervalUs = 20'000;
// Others look at their links now and then, and drop what is for one that they believe to be down.
constexpr useconds_t kSettlingUs = 200'000;
// DPDK's memif client connects when it is started, and only then. It must not be stopped while it
// is just connecting: its interrupt thread would go on with what has been freed.
constexpr uint32_t kLooksPerRetry = 75;

// Buffers that are in no ring: in the outbox, in hand, in the pool's cache.
constexpr uint32_t kInHand = 2'047;

void fill_with_pattern(rte_mempool*, void*, void* object, unsigned) {
  auto* mbuf = static_cast<rte_mbuf*>(object);
  auto* bytes = static_cast<uint8_t*>(mbuf->buf_addr) + RTE_PKTMBUF_HEADROOM;
  for (size_t at = 0; at < RTE_MBUF_DEFAULT_DATAROOM; ++at) bytes[at] = pattern_at(at);
}

rte_mempool* make_pool(const std::string& name, uint32_t count) {
  constexpr uint32_t kCache = 256;
  rte_mempool* pool = rte_pktmbuf_pool_create(name.c_str(), count, kCache, 0,
                                              RTE_MBUF_DEFAULT_BUF_SIZE, SOCKET_ID_ANY);
  if (pool == nullptr) {
    throw DeviceError(std::to_string(count) + " packet buffers: " + rte_strerror(rte_errno));
  }
  return pool;
}

// DPDK's memif client, having connected with zero-copy, closes the file of the EAL's memory as if
// it were its own: the next client could not hand it to its peer, or would hand over whatever has
// got the number since. This puts the file back under its number.
class MemoryFile {
 public:
  explicit MemoryFile(const void* memory)
      : number_(rte_memseg_get_fd(rte_mem_virt2memseg(memory, nullptr))),
        copy_(number_ < 0 ? -1 : fcntl(number_, F_DUPFD_CLOEXEC, 0)) {}
  ~MemoryFile() {
    if (copy_ >= 0) close(copy_);
  }
  MemoryFile(const MemoryFile&) = delete;
  MemoryFile& operator=(const MemoryFile&) = delete;

  void put_back() const {
    if (copy_ >= 0) dup3(copy_, number_, O_CLOEXEC);
  }

 private:
  const int number_, copy_;  // negative: ordinary memory, which memif copies from
};

void wait_for_link(Port& port, const char* side, std::chrono::steady_clock::time_point deadline) {
  while (!port.connect()) {
    if (std::chrono::steady_clock::now() > deadline) {
      throw LinkTimeout(std::string(side) + ": no link within " +
                        std::to_string(std::chrono::seconds(kLinkTimeout).count()) +
                        " s; is the device under test listening?");
    }
    usleep(kLookIntervalUs);
  }
}

}  // namespace

uint32_t Port::memory_mib(uint16_t ring) {
  constexpr uint32_t kBufferBytes = 2'560;  // with its header and the pool's
  return 2 * 2 * (ring + kInHand) * kBufferBytes / (1 << 20) + 1;
}

Port::Port(std::string name, const Attachment& attachment, uint16_t ring, bool zero_copy)
    : name_(std::move(name)), attachment_(attachment), ring_(ring), zero_copy_(zero_copy) {
  rx_pool_ = make_pool(name_ + "_rx", ring_ + kInHand);
  tx_pool_ = make_pool(name_ + "_tx", ring_ + kInHand);
  rte_mempool_obj_iter(tx_pool_, fill_with_pattern, nullptr);
}

Port::~Port() {
  if (id_ == UINT16_MAX) return;
  rte_eth_dev_stop(id_);
  rte_eth_dev_close(id_);
}

void Port::attach() {
  const bool memif = attachment_.kind == Attachment::Kind::memif;
  const std::string arguments =
      memif ? "role=client,id=0,socket-abstract=no,socket=" + attachment_.socket +
                  ",rsize=" + std::to_string(std::countr_zero(ring_)) +
                  ",mac=" + format_mac(attachment_.mac.data()) +
                  ",zero-copy=" + (zero_copy_ ? "yes" : "no")
            : "queues=1,path=" + attachment_.socket + ",queue_size=" + std::to_string(ring_) +
                  ",mac=" + format_mac(attachment_.mac.data());
  const std::string device = (memif ? "net_memif_" : "net_virtio_user_") + name_;
  if (rte_eal_hotplug_add("vdev", device.c_str(), arguments.c_str()) != 0) {
    throw DeviceError(device + " refuses " + arguments);
  }
  if (rte_eth_dev_get_port_by_name(device.c_str(), &id_) != 0) {
    throw DeviceError("no device for " + arguments);
  }
  set_up();
}

void Port::set_up() {
  const rte_eth_conf conf{};
  uint16_t rx = ring_, tx = ring_;
  int code = rte_eth_dev_configure(id_, 1, 1, &conf);
  if (code == 0) code = rte_eth_dev_adjust_nb_rx_tx_desc(id_, &rx, &tx);
  if (code == 0) code = rte_eth_rx_queue_setup(id_, 0, rx, SOCKET_ID_ANY, nullptr, rx_pool_);
  if (code == 0) code = rte_eth_tx_queue_setup(id_, 0, tx, SOCKET_ID_ANY, nullptr);
  if (code != 0) throw DeviceError(attachment_.socket + ": " + rte_strerror(-code));
}

bool Port::connect() {
  // virtio-user connects while it is made, and memif when it is started.
  if (!is_listening(attachment_.socket)) return false;
  if (id_ == UINT16_MAX) attach();
  rte_eth_link link{};
  if (started_ && rte_eth_link_get_nowait(id_, &link) == 0 && link.link_status == RTE_ETH_LINK_UP) {
    return true;
  }
  if (looks_++ % kLooksPerRetry == 0) {
    if (started_) rte_eth_dev_stop(id_);
    started_ = rte_eth_dev_start(id_) == 0;
    if (started_) rte_eth_promiscuous_enable(id_);
  }
  return false;
}

bool Port::stock_up() {
  if (rte_pktmbuf_alloc_bulk(tx_pool_, stock_.data(), stock_.size()) != 0) return false;
  for (rte_mbuf* mbuf : stock_) __builtin_prefetch(rte_pktmbuf_mtod(mbuf, void*), 1);
  stocked_ = static_cast<uint16_t>(stock_.size());
  return true;
}

void Port::discard() {
  rte_mbuf* mbufs[kMostBurst];
  while (const uint16_t count = rte_eth_rx_burst(id_, 0, mbufs, kMostBurst)) release(mbufs, count);
}

uint32_t Port::flush(uint16_t burst) {
  uint32_t taken = 0;
  while (first_ < last_) {
    const uint16_t offered = std::min<uint16_t>(burst, waiting());
    const uint16_t sent = rte_eth_tx_burst(id_, 0, &outbox_[first_], offered);
    first_ = static_cast<uint16_t>(first_ + sent);
    taken += sent;
    if (sent < offered) break;
  }
  if (first_ == last_) first_ = last_ = 0;
  sent_ += taken;
  return taken;
}

void wait_for_links(Port& client, Port& backend) {
  const auto deadline = std::chrono::steady_clock::now() + kLinkTimeout;
  const MemoryFile memory(client.buffers());
  wait_for_link(client, "client", deadline);
  memory.put_back();
  wait_for_link(backend, "backend", deadline);
  memory.put_back();
  usleep(kSettlingUs);
  // memif's zero-copy offers buffers to the other side only when it is asked for frames.
  client.discard();
  backend.discard();
}

}  // namespace sluice::generator
