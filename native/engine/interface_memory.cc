// SPDX-License-Identifier: Apache-2.0
#include "engine/interface_memory.h"

#include <rte_mbuf.h>
#include <rte_ring.h>

#include <cstring>

namespace sluice {
namespace {

MbufRing make_ring(const char* side, uint16_t slot) {
  return make_mbuf_ring(std::string("sluice_memory_") + side + std::to_string(slot),
                        MemoryInterface::kRingFrames, Producers::one);
}

}  // namespace

MemoryInterface::MemoryInterface(const InterfaceRequest& request, rte_mempool* pool)
    : Interface(request), pool_(pool) {}

Result<std::unique_ptr<Interface>> MemoryInterface::make(const InterfaceRequest& request,
                                                         rte_mempool* pool) {
  std::unique_ptr<MemoryInterface> made(new MemoryInterface(request, pool));
  made->in_ = make_ring("in", request.slot);
  made->out_ = make_ring("out", request.slot);
  if (!made->in_ || !made->out_) {
    return Error{"ERR_INTERFACE", "no memory for the rings of a memory interface", "kind"};
  }
  return std::unique_ptr<Interface>(std::move(made));
}

uint16_t MemoryInterface::rx(uint16_t, rte_mbuf** mbufs, uint16_t count) {
  return static_cast<uint16_t>(
      rte_ring_dequeue_burst(in_.get(), reinterpret_cast<void**>(mbufs), count, nullptr));
}

uint16_t MemoryInterface::tx(uint16_t, rte_mbuf** mbufs, uint16_t count) {
  return static_cast<uint16_t>(
      rte_ring_enqueue_burst(out_.get(), reinterpret_cast<void**>(mbufs), count, nullptr));
}

bool MemoryInterface::inject(const uint8_t* frame, uint32_t length) {
  rte_mbuf* mbuf = rte_pktmbuf_alloc(pool_);
  if (!mbuf) return false;
  char* room =
      length > UINT16_MAX ? nullptr : rte_pktmbuf_append(mbuf, static_cast<uint16_t>(length));
  if (room && length != 0) std::memcpy(room, frame, length);  // an empty array has no address
  if (!room || rte_ring_enqueue(in_.get(), mbuf) != 0) {
    rte_pktmbuf_free(mbuf);
    return false;
  }
  return true;
}

rte_mbuf* MemoryInterface::extract() {
  void* mbuf = nullptr;
  return rte_ring_dequeue(out_.get(), &mbuf) == 0 ? static_cast<rte_mbuf*>(mbuf) : nullptr;
}

}  // namespace sluice
