// SPDX-License-Identifier: Apache-2.0
#include "engine/interface.h"

#include <rte_mbuf.h>
#include <rte_ring.h>

#include <cstring>

#include "engine/interface_ethdev.h"
#include "engine/interface_memory.h"

namespace sluice {

Interface::Interface(const InterfaceRequest& request)
    : slot(request.slot), kind(request.kind), name(request.name), mtu(request.mtu) {
  if (request.has_mac) std::memcpy(mac, request.mac, sizeof(mac));
}

Interface::~Interface() {
  if (!handoff) return;
  void* mbuf = nullptr;
  while (rte_ring_dequeue(handoff, &mbuf) == 0) rte_pktmbuf_free(static_cast<rte_mbuf*>(mbuf));
  rte_ring_free(handoff);
}

bool Interface::inject(const uint8_t*, uint32_t) { return false; }
rte_mbuf* Interface::extract() { return nullptr; }

Result<std::unique_ptr<Interface>> make_interface(const InterfaceRequest& request,
                                                  rte_mempool* pool) {
  if (request.kind == "memory") return MemoryInterface::make(request, pool);
  return EthdevInterface::make(request, pool);
}

}  // namespace sluice
