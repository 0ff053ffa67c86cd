// SPDX-License-Identifier: Apache-2.0
#include "engine/netns.h"

#include <fcntl.h>
#include <sched.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>

namespace sluice {

Status NetnsScope::enter(const std::string& name) {
  if (name.empty()) return {};
  const std::string path = name.find('/') == std::string::npos ? "/var/run/netns/" + name : name;
  const int target = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (target < 0) {
    return Error{"ERR_INTERFACE",
                 "there is no network namespace " + name + " (" + std::strerror(errno) + ")",
                 "netns"};
  }
  home_ = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
  const int entered = home_ < 0 ? -1 : setns(target, CLONE_NEWNET);
  const int error = errno;
  close(target);
  if (entered == 0) return {};
  if (home_ >= 0) close(home_);
  home_ = -1;
  return Error{error == EPERM ? "ERR_PERMISSION" : "ERR_INTERFACE",
               "cannot enter network namespace " + name + ": " + std::strerror(error), "netns"};
}

NetnsScope::~NetnsScope() {
  if (home_ < 0) return;
  // A thread that cannot go home would make later devices in the wrong place: better no process.
  if (setns(home_, CLONE_NEWNET) != 0) abort();
  close(home_);
}

}  // namespace sluice
