// SPDX-License-Identifier: Apache-2.0
// Takes the calling thread into a network namespace for as long as the object lives. Devices,
// sockets and ioctls made meanwhile belong to that namespace.
#pragma once

#include <string>

#include "base/result.h"

namespace sluice {

class NetnsScope {
 public:
  NetnsScope() = default;
  ~NetnsScope();
  NetnsScope(const NetnsScope&) = delete;
  NetnsScope& operator=(const NetnsScope&) = delete;

  // `name`: of `ip netns`, or a path; empty: stay where we are.
  Status enter(const std::string& name);

 private:
  int home_ = -1;
};

}  // namespace sluice
