// SPDX-License-Identifier: Apache-2.0
// One side: a DPDK device, its buffers, and the frames that its ring has not taken yet. Owned by
// the one lcore.
#pragma once

#include <rte_ethdev.h>
#include <rte_mbuf.h>

#include <array>
#include <cstdint>
#include <stdexcept>
#include <string>

#include "generator/options.h"

namespace sluice::generator {

struct DeviceError : std::runtime_error {
  using std::runtime_error::runtime_error;
};
struct LinkTimeout : std::runtime_error {
  using std::runtime_error::runtime_error;
};

class Port {
 public:
  static constexpr uint16_t kOutbox = 1'024;

  // What the buffers of two ports take.
  static uint32_t memory_mib(uint16_t ring);

  // `zero_copy`: of memif; the peer then reads and writes our buffers.
  Port(std::string name, const Attachment& attachment, uint16_t ring, bool zero_copy);
  ~Port();
  Port(const Port&) = delete;
  Port& operator=(const Port&) = delete;

  // Where frames to send are, for what has to know about the memory.
  const void* buffers() const { return tx_pool_; }

  // Tries to connect, and whether it has; to be asked now and then.
  bool connect();

  // Buffers for `count` more frames at the end of the outbox, their payload beyond the headers as
  // FrameTemplate wants it; null: no room or no buffers.
  rte_mbuf** reserve(uint16_t count) {
    if (uint32_t{last_} + count > kOutbox) return nullptr;
    rte_mbuf** const added = &outbox_[last_];
    if (rte_pktmbuf_alloc_bulk(tx_pool_, added, count) != 0) return nullptr;
    last_ = static_cast<uint16_t>(last_ + count);
    return added;
  }
  // The same for one frame, from a stock that is on its way into the cache.
  rte_mbuf* reserve_one() {
    if (last_ == kOutbox || (stocked_ == 0 && !stock_up())) return nullptr;
    return outbox_[last_++] = stock_[--stocked_];
  }
  uint16_t waiting() const { return static_cast<uint16_t>(last_ - first_); }
  // Gives the outbox to the ring, as much as it takes, at most `burst` at a time.
  uint32_t flush(uint16_t burst);

  uint16_t receive(rte_mbuf** mbufs, uint16_t burst) {
    const uint16_t count = rte_eth_rx_burst(id_, 0, mbufs, burst);
    received_ += count;
    return count;
  }
  // Takes what has come, and counts none of it.
  void discard();
  // What `receive` gave. All of them are whole, ours alone and of the one pool.
  void release(rte_mbuf** mbufs, uint16_t count) {
    rte_mempool_put_bulk(rx_pool_, reinterpret_cast<void**>(mbufs), count);
  }

  uint64_t sent() const { return sent_; }  // frames that the ring took
  uint64_t received() const { return received_; }

 private:
  bool stock_up();
  void attach();
  void set_up();

  const std::string name_;
  const Attachment attachment_;
  const uint16_t ring_;
  const bool zero_copy_;
  uint16_t id_ = UINT16_MAX;
  bool started_ = false;
  uint32_t looks_ = 0;
  rte_mempool* rx_pool_;
  rte_mempool* tx_pool_;
  std::array<rte_mbuf*, kOutbox> outbox_;
  uint16_t first_ = 0, last_ = 0;  // of what waits in the outbox
  std::array<rte_mbuf*, 32> stock_;
  uint16_t stocked_ = 0;
  uint64_t sent_ = 0, received_ = 0;
};

// Throws LinkTimeout, naming the socket.
void wait_for_links(Port& client, Port& backend);

}  // namespace sluice::generator
