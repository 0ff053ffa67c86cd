// SPDX-License-Identifier: Apache-2.0
// An interface as connections see it.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "memif/link.h"

namespace sluice::memif {

struct Identity {
  uint32_t id;
  std::string secret;  // empty: none
  uint16_t queues;     // pairs of rings at most
  std::string name;    // told to the other side
};

class Endpoint {
 public:
  explicit Endpoint(Identity is) : identity(std::move(is)) {}
  virtual ~Endpoint() = default;

  virtual void connected(std::unique_ptr<Link> link) = 0;
  // Destroys the link, once no worker uses it.
  virtual void disconnected() = 0;

  const Identity identity;
};

// Who calls when there is something to read. All of memif but the rings is one thread's.
class Loop {
 public:
  virtual ~Loop() = default;
  virtual void watch(int descriptor, std::function<void()> readable) = 0;
  // From within `readable` too.
  virtual void unwatch(int descriptor) = 0;
};

}  // namespace sluice::memif
