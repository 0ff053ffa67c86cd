// SPDX-License-Identifier: Apache-2.0
// `memif`, by our own driver: ARCHITECTURE.md says what for. Connections are the control thread's,
// rings the workers'.
#pragma once

#include <rte_spinlock.h>

#include <memory>
#include <optional>

#include "engine/interface.h"
#include "memif/client_session.h"
#include "memif/listener.h"

namespace sluice {

class MemifInterface final : public Interface, private memif::Endpoint {
 public:
  // `wait_for_workers` returns when every worker has begun another poll.
  static Result<std::unique_ptr<Interface>> make(const InterfaceRequest& request, rte_mempool* pool,
                                                 std::function<void()> wait_for_workers);
  ~MemifInterface() override;

  uint16_t rx(uint16_t queue, rte_mbuf** mbufs, uint16_t count) override;
  uint16_t tx(uint16_t queue, rte_mbuf** mbufs, uint16_t count) override;
  void expect(uint16_t queue) override;
  bool link_up() override;

 private:
  MemifInterface(const InterfaceRequest& request, uint32_t id, rte_mempool* pool,
                 std::function<void()> wait_for_workers);
  Status listen();
  void connect();
  void hang_up();
  void connected(std::unique_ptr<memif::Link> link) override;
  void disconnected() override;

  const std::string socket_;
  rte_mempool* const pool_;
  const std::function<void()> wait_for_workers_;
  std::atomic<memif::Link*> link_{nullptr};  // ours
  // Server or client.
  std::shared_ptr<memif::Listener> listener_;
  std::optional<memif::ClientSession> session_;
  uint32_t looks_while_down_ = 0;
  // Held to send where the other side has fewer rings than we have queues, and never else.
  rte_spinlock_t sharing_ = RTE_SPINLOCK_INITIALIZER;
};

}  // namespace sluice
