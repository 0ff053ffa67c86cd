// SPDX-License-Identifier: Apache-2.0
// Theory of operation. Follows datagrams in fragments, without putting them together: the first
// fragment tells the ports, later ones that come before it wait. Ranges are kept to drop overlaps.
// Owned by one worker; bounded in datagrams, waiting packets and time. The rule in full:
// docs/packet-path.md, "fragment".
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "base/family.h"
#include "base/limits.h"
#include "packet/burst.h"

namespace sluice {

class FragmentTable {
 public:
  // What happens to packets that have waited; called in the order of their coming.
  struct Sink {
    std::vector<Packet>* released;  // set free: complete with ports and class
    std::function<void(const Packet&, DropReason)> dropped;  // their fate
  };

  FragmentTable(const Limits& limits, Sink sink);
  ~FragmentTable();

  // A fragment (packet.fragment is first or later; its tuple's addresses are there, and of a first
  // one all of the tuple, class and hash). Sets fate to drop (with the reason) or held (the packet
  // has been copied), or leaves it pending, and then a later one has protocol, class, ports and
  // hash of its first.
  void take(Packet& packet, uint32_t now_s);
  // What take would make of the packet, without changing anything here. False: its fate is drop
  // (with the reason) or held now.
  bool peek(Packet& packet, uint32_t now_s) const;
  // Removes datagrams that are too old.
  void expire(uint32_t now_s);
  // Drops what came in by `interface` and waits (interface_removed).
  void drop_from(uint16_t interface);
  // Gives every packet that waits to `take`, without counting anything: at the end.
  void drain(const std::function<void(const Packet&)>& take);

  uint32_t datagrams() const;  // records
  uint32_t waiting() const;    // packets

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace sluice
