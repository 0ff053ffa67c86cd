// SPDX-License-Identifier: Apache-2.0
// Work that goes to the control thread and comes back as a promise. The event loop stays alive
// while jobs are under way, and only then.
#pragma once

#include <napi.h>

#include <atomic>
#include <functional>
#include <memory>

#include "base/result.h"

namespace sluice::binding {

class Jobs {
 public:
  // Lives as long as `env`, which ends the thread-safe function by itself.
  explicit Jobs(Napi::Env env);

  // Makes the promise's value on the JS thread, from what the work left behind.
  using Finish = std::function<Napi::Value(Napi::Env)>;
  // `work` runs on the control thread; what it returns becomes the rejection, or `finish` the
  // value.
  Napi::Promise run(std::function<Status()> work, Finish finish);
  // Calls `call` on the JS thread soon; dropped when the environment is going away. Any thread.
  void notify(std::function<void(Napi::Env)> call);
  // Waits for the work that is under way, whose promises nobody will settle: before the environment
  // ends. JS thread.
  void drain();

 private:
  Napi::Env env_;
  Napi::ThreadSafeFunction loop_;
  size_t under_way_ = 0;  // JS thread
};

}  // namespace sluice::binding
