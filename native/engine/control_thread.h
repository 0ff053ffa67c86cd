// SPDX-License-Identifier: Apache-2.0
// The control thread: everything that may wait (EAL, devices, commits, reclamation) is done here,
// one task after the other. It lives as long as the process, because the EAL does. Any thread may
// post.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <thread>

#include "memif/endpoint.h"

namespace sluice {

class ControlThread final : public memif::Loop {
 public:
  // The process's one; made at the first call and never destroyed.
  static ControlThread& get();

  void post(std::function<void()> task);
  // Called between tasks, about every 50 ms, from the control thread. Replaces the previous one;
  // set from a task.
  void on_tick(std::function<void()> tick);
  // From a task, a tick or what is called here. Calls `readable` whenever there is something to
  // read, between tasks.
  void watch(int descriptor, std::function<void()> readable) override;
  void unwatch(int descriptor) override;
  // Posts and waits. Not from the control thread.
  void run(const std::function<void()>& task);

 private:
  ControlThread();
  void loop();
  bool run_task();
  void wait(int timeout_ms);

  const int epoll_;
  const int wake_;  // an eventfd
  std::map<int, std::shared_ptr<const std::function<void()>>> watched_;
  std::mutex mutex_;
  std::deque<std::function<void()>> tasks_;
  std::function<void()> tick_;
  std::thread thread_;
};

// Blocks the real-time signals in the calling thread. net_tap has the kernel raise one for each
// packet; a thread of Node's must not be interrupted by it, the control thread takes them all.
void block_realtime_signals(bool block);

}  // namespace sluice
