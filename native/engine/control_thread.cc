// SPDX-License-Identifier: Apache-2.0
#include "engine/control_thread.h"

#include <pthread.h>
#include <signal.h>

#include <chrono>
#include <future>
#include <memory>

namespace sluice {

void block_realtime_signals(bool block) {
  sigset_t set;
  sigemptyset(&set);
  for (int number = SIGRTMIN; number <= SIGRTMAX; ++number) sigaddset(&set, number);
  pthread_sigmask(block ? SIG_BLOCK : SIG_UNBLOCK, &set, nullptr);
}

ControlThread& ControlThread::get() {
  static ControlThread* const thread = new ControlThread();
  return *thread;
}

ControlThread::ControlThread() {
  thread_ = std::thread([this] { loop(); });
  thread_.detach();
}

void ControlThread::post(std::function<void()> task) {
  {
    std::lock_guard lock(mutex_);
    tasks_.push_back(std::move(task));
  }
  wake_.notify_one();
}

void ControlThread::on_tick(std::function<void()> tick) { tick_ = std::move(tick); }

void ControlThread::run(const std::function<void()>& task) {
  // Shared: whoever wakes up must not take it away from under set_value().
  const auto done = std::make_shared<std::promise<void>>();
  post([&task, done] {
    task();
    done->set_value();
  });
  done->get_future().wait();
}

void ControlThread::loop() {
  pthread_setname_np(pthread_self(), "sluice-control");
  using Clock = std::chrono::steady_clock;
  constexpr auto kTick = std::chrono::milliseconds(50);
  Clock::time_point next = Clock::now() + kTick;
  for (;;) {
    std::function<void()> task;
    {
      std::unique_lock lock(mutex_);
      wake_.wait_until(lock, next, [this] { return !tasks_.empty(); });
      if (!tasks_.empty()) {
        task = std::move(tasks_.front());
        tasks_.pop_front();
      }
    }
    if (task) task();
    if (Clock::now() >= next) {
      if (tick_) tick_();
      next = Clock::now() + kTick;
    }
  }
}

}  // namespace sluice
