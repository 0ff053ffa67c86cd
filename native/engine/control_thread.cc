// SPDX-License-Identifier: Apache-2.0
#include "engine/control_thread.h"

#include <pthread.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <chrono>
#include <future>
#include <iterator>
#include <memory>

namespace sluice {
namespace {

void add_to(int epoll, int descriptor) {
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.fd = descriptor;
  epoll_ctl(epoll, EPOLL_CTL_ADD, descriptor, &event);
}

}  // namespace

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

ControlThread::ControlThread()
    : epoll_(epoll_create1(EPOLL_CLOEXEC)), wake_(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {
  add_to(epoll_, wake_);
  thread_ = std::thread([this] { loop(); });
  thread_.detach();
}

void ControlThread::post(std::function<void()> task) {
  {
    std::lock_guard lock(mutex_);
    tasks_.push_back(std::move(task));
  }
  const uint64_t one = 1;
  (void)!write(wake_, &one, sizeof(one));
}

void ControlThread::watch(int descriptor, std::function<void()> readable) {
  watched_[descriptor] = std::make_shared<const std::function<void()>>(std::move(readable));
  add_to(epoll_, descriptor);
}

void ControlThread::unwatch(int descriptor) {
  epoll_ctl(epoll_, EPOLL_CTL_DEL, descriptor, nullptr);
  watched_.erase(descriptor);
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
    const bool ran = run_task();
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(next - Clock::now());
    wait(ran || left.count() < 0 ? 0 : static_cast<int>(left.count()));
    if (Clock::now() >= next) {
      if (tick_) tick_();
      next = Clock::now() + kTick;
    }
  }
}

bool ControlThread::run_task() {
  std::function<void()> task;
  {
    std::lock_guard lock(mutex_);
    if (tasks_.empty()) return false;
    task = std::move(tasks_.front());
    tasks_.pop_front();
  }
  task();
  return true;
}

void ControlThread::wait(int timeout_ms) {
  epoll_event events[16];
  const int count = epoll_wait(epoll_, events, std::size(events), timeout_ms);
  for (int i = 0; i < count; ++i) {
    const int descriptor = events[i].data.fd;
    if (descriptor == wake_) {
      uint64_t times;
      (void)!read(wake_, &times, sizeof(times));
      continue;
    }
    // Held: it may unwatch itself, or another one of these.
    const auto found = watched_.find(descriptor);
    if (found == watched_.end()) continue;
    const std::shared_ptr<const std::function<void()>> readable = found->second;
    (*readable)();
  }
}

}  // namespace sluice
