// SPDX-License-Identifier: Apache-2.0
// Theory of operation. The control thread's master copy of the program. `check` looks at a whole
// delta without changing anything; `build` applies a checked delta and makes the next snapshot.
// What did not change is shared with the previous snapshot. What is looked up flat (routes,
// services, pools, backends) is there twice (left_right.h): the delta goes into the one that nobody
// reads, the snapshot names it, and once the workers have left the other, `settle` brings that one
// up to date. So a commit costs what the delta is worth. Control thread only.
#pragma once

#include <map>
#include <memory>
#include <vector>

#include "base/limits.h"
#include "base/result.h"
#include "config/program.h"
#include "config/snapshot.h"

namespace sluice {

class ProgramState {
 public:
  // `up` points to `limits.interfaces` flags that outlive every snapshot.
  ProgramState(const Limits& limits, const std::atomic<bool>* up);
  ~ProgramState();
  Status open();  // makes the route tables; fails with ERR_ENGINE

  // ERR_PROGRAM or ERR_CAPACITY with path "table.column[row]"; changes nothing.
  Status check(const ProgramDelta& delta) const;
  // Precondition: check(delta) was empty. The caller publishes the result, waits until no worker
  // reads the previous snapshot, and then calls settle().
  std::unique_ptr<Snapshot> build(const ProgramDelta& delta);
  void settle();

  // Interfaces come and go outside of commits. Each makes a new snapshot, as build does.
  std::unique_ptr<Snapshot> add_interface(uint16_t slot, const uint8_t mac[6], uint16_t mtu,
                                          bool unfinished_checksums,
                                          std::shared_ptr<const Tunnel> tunnel = {});
  // Its addresses, its scope, its sources and the next hops over it go with it.
  std::unique_ptr<Snapshot> remove_interface(uint16_t slot);

  // Rows that are in force.
  struct Sizes {
    uint32_t routes, frontends, backends, pools;
  };
  Sizes sizes() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace sluice
