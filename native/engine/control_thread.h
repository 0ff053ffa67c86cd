// SPDX-License-Identifier: Apache-2.0
// The control thread: everything that may wait (EAL, devices, commits, reclamation) is done here,
// one task after the other. It lives as long as the process, because the EAL does. Any thread may
// post.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>

namespace sluice {

class ControlThread {
 public:
  // The process's one; made at the first call and never destroyed.
  static ControlThread& get();

  void post(std::function<void()> task);
  // Called between tasks, about every 50 ms, from the control thread. Replaces the previous one;
  // set from a task.
  void on_tick(std::function<void()> tick);
  // Posts and waits. Not from the control thread.
  void run(const std::function<void()>& task);

 private:
  ControlThread();
  void loop();

  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::function<void()>> tasks_;
  std::function<void()> tick_;
  std::thread thread_;
};

// Blocks the real-time signals in the calling thread. net_tap has the kernel raise one for each
// packet; a thread of Node's must not be interrupted by it, the control thread takes them all.
void block_realtime_signals(bool block);

}  // namespace sluice
