// SPDX-License-Identifier: Apache-2.0
// A tunnel as an interface: it has no queue, the workers find its packets in those of others. Up as
// long as it is there.
#pragma once

#include "engine/interface.h"
#include "table/tunnels.h"

namespace sluice {

bool is_tunnel(const InterfaceRequest& request);

// ERR_INTERFACE with the parameter as path.
Result<std::shared_ptr<const Tunnel>> read_tunnel(const InterfaceRequest& request);

class TunnelInterface final : public Interface {
 public:
  static Result<std::unique_ptr<Interface>> make(InterfaceRequest request);

  uint16_t rx(uint16_t, rte_mbuf**, uint16_t) override { return 0; }
  uint16_t tx(uint16_t, rte_mbuf**, uint16_t) override { return 0; }
  bool link_up() override { return true; }

 private:
  TunnelInterface(const InterfaceRequest& request, std::shared_ptr<const Tunnel> tunnel_);
};

}  // namespace sluice
