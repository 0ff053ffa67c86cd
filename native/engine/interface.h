// SPDX-License-Identifier: Apache-2.0
// An attach point. Made and destroyed by the control thread; rx and tx belong to the one worker
// that owns it. A virtual call per burst, never per packet.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"

struct rte_mbuf;
struct rte_mempool;
struct rte_ring;

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
  int worker = -1;  // -1: the least loaded
  std::map<std::string, std::string> parameters;
};

class Interface {
 public:
  explicit Interface(const InterfaceRequest& request);
  virtual ~Interface();
  Interface(const Interface&) = delete;
  Interface& operator=(const Interface&) = delete;

  // Owner worker only.
  virtual uint16_t rx(rte_mbuf** mbufs, uint16_t count) = 0;
  virtual uint16_t tx(rte_mbuf** mbufs, uint16_t count) = 0;
  // Control thread only.
  virtual bool link_up() = 0;
  // `memory` interfaces: frames in and out, JS thread. Others take and give nothing.
  virtual bool inject(const uint8_t* frame, uint32_t length);
  virtual rte_mbuf* extract();

  const uint16_t slot;
  const std::string kind;
  const std::string name;
  const uint16_t mtu;
  uint8_t mac[6]{};
  uint32_t worker = 0;
  // From the workers that do not own it; null where there is one worker. Multi-producer.
  rte_ring* handoff = nullptr;
};

// ERR_INTERFACE, ERR_INTERFACE_LIMIT, ERR_PERMISSION with the parameter as path.
Result<std::unique_ptr<Interface>> make_interface(const InterfaceRequest& request,
                                                  rte_mempool* pool);

}  // namespace sluice
