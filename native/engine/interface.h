// SPDX-License-Identifier: Apache-2.0
// An attach point. Made and destroyed by the control thread; a queue belongs to one worker, for rx
// and tx. A virtual call per burst, never per packet.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "engine/mbuf_ring.h"
#include "engine/software_rss.h"

struct rte_mbuf;
struct rte_mempool;

namespace sluice {

// The twin of InterfaceRequest in lib/compile/program.ts.
struct InterfaceRequest {
  uint16_t slot = 0;
  std::string kind;
  std::string name;
  bool has_mac = false;
  uint8_t mac[6]{};
  uint16_t mtu = 1500;
  bool unfinished_checksums = false;
  int worker = -1;      // that has the first queue; -1: the least loaded
  uint16_t queues = 1;  // pairs of an rx and a tx queue, each for a worker of its own
  bool software_rss = false;
  std::map<std::string, std::string> parameters;

  std::string parameter(const char* key, const std::string& otherwise = "") const;
};

// Room of the ring to the worker that sends for those without a queue.
inline constexpr uint32_t kHandoffFrames = 1024;
inline constexpr uint16_t kNoQueue = UINT16_MAX;

class Interface {
 public:
  explicit Interface(const InterfaceRequest& request);
  virtual ~Interface();
  Interface(const Interface&) = delete;
  Interface& operator=(const Interface&) = delete;

  // The worker that has the queue only.
  virtual uint16_t rx(uint16_t queue, rte_mbuf** mbufs, uint16_t count) = 0;
  virtual uint16_t tx(uint16_t queue, rte_mbuf** mbufs, uint16_t count) = 0;
  // Who has the queue is going to call rx: what it reads first may be asked for.
  virtual void expect(uint16_t) {}
  // Control thread only.
  virtual bool link_up() = 0;
  // `memory` interfaces: whether the peer is there. Control thread only.
  virtual void set_link(bool) {}
  // `memory` interfaces: frames in and out, JS thread. Others take and give nothing.
  virtual bool inject(const uint8_t* frame, uint32_t length);
  virtual rte_mbuf* extract();

  // Gives the queues to `first` and the workers after it, round, and makes the rings between them
  // and the others: ERR_INTERFACE.
  Status share(uint32_t first, uint32_t workers);
  // Of a worker, or kNoQueue.
  uint16_t queue_of(uint32_t worker, uint32_t workers) const;

  const uint16_t slot;
  const std::string kind;
  const std::string name;
  const uint16_t mtu;
  uint8_t mac[6]{};
  const uint16_t queues;
  uint32_t worker = 0;  // that has the first queue
  // From the workers that have no queue to the first one; null where every worker has one.
  MbufRing handoff;
  // Null: the worker that receives a frame runs it.
  std::unique_ptr<SoftwareRss> rss;

 private:
  const bool wants_rss_;
};

// `wait_for_workers` returns when every worker has begun another poll.
// ERR_INTERFACE, ERR_INTERFACE_LIMIT, ERR_PERMISSION with the parameter as path.
Result<std::unique_ptr<Interface>> make_interface(const InterfaceRequest& request,
                                                  rte_mempool* pool,
                                                  const std::function<void()>& wait_for_workers);

}  // namespace sluice
