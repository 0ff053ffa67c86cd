// SPDX-License-Identifier: Apache-2.0
// `memory`: an interface whose peer is this process. The JS thread puts frames in and takes frames
// out, and says whether it is there.
#pragma once

#include "engine/interface.h"

namespace sluice {

class MemoryInterface final : public Interface {
 public:
  static constexpr uint32_t kRingFrames = 1024;

  static Result<std::unique_ptr<Interface>> make(const InterfaceRequest& request,
                                                 rte_mempool* pool);

  uint16_t rx(uint16_t queue, rte_mbuf** mbufs, uint16_t count) override;
  uint16_t tx(uint16_t queue, rte_mbuf** mbufs, uint16_t count) override;
  bool link_up() override { return up_; }
  void set_link(bool up) override { up_ = up; }
  bool inject(const uint8_t* frame, uint32_t length) override;
  rte_mbuf* extract() override;

 private:
  MemoryInterface(const InterfaceRequest& request, rte_mempool* pool);

  rte_mempool* pool_;
  bool up_ = true;
  MbufRing in_;
  MbufRing out_;
};

}  // namespace sluice
