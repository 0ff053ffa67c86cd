// SPDX-License-Identifier: Apache-2.0
#include "engine/interface.h"

#include <cstring>

#include "engine/interface_ethdev.h"
#include "engine/interface_memif.h"
#include "engine/interface_memory.h"
#include "engine/interface_tunnel.h"

namespace sluice {

std::string InterfaceRequest::parameter(const char* key, const std::string& otherwise) const {
  const auto found = parameters.find(key);
  return found == parameters.end() ? otherwise : found->second;
}

Interface::Interface(const InterfaceRequest& request)
    : slot(request.slot),
      kind(request.kind),
      name(request.name),
      mtu(request.mtu),
      queues(request.queues),
      wants_rss_(request.software_rss) {
  if (request.has_mac) std::memcpy(mac, request.mac, sizeof(mac));
}

Interface::~Interface() = default;

Status Interface::share(uint32_t first, uint32_t workers) {
  worker = first;
  if (queues == 0) return {};
  const Error no_memory{"ERR_INTERFACE", "no memory for the rings between workers", ""};
  if (workers > queues) {
    handoff =
        make_mbuf_ring("sluice_handoff" + std::to_string(slot), kHandoffFrames, Producers::many);
    if (!handoff) return no_memory;
  }
  if (wants_rss_ && workers > 1) {
    rss = SoftwareRss::make(slot, first, workers);
    if (!rss) return no_memory;
  }
  return {};
}

uint16_t Interface::queue_of(uint32_t of, uint32_t workers) const {
  const uint32_t queue = (of + workers - worker) % workers;
  return queue < queues ? static_cast<uint16_t>(queue) : kNoQueue;
}

bool Interface::inject(const uint8_t*, uint32_t) { return false; }
rte_mbuf* Interface::extract() { return nullptr; }

Result<std::unique_ptr<Interface>> make_interface(const InterfaceRequest& request,
                                                  rte_mempool* pool,
                                                  const std::function<void()>& wait_for_workers) {
  if (is_tunnel(request)) return TunnelInterface::make(request);
  if (request.kind == "memory") return MemoryInterface::make(request, pool);
  if (request.kind == "memif") return MemifInterface::make(request, pool, wait_for_workers);
  return EthdevInterface::make(request, pool);
}

}  // namespace sluice
