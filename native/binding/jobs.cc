// SPDX-License-Identifier: Apache-2.0
#include "binding/jobs.h"

#include "binding/values.h"
#include "engine/control_thread.h"

namespace sluice::binding {

Jobs::Jobs(Napi::Env env)
    : env_(env),
      loop_(Napi::ThreadSafeFunction::New(
          env, Napi::Function::New(env, [](const Napi::CallbackInfo&) {}), "sluice", 0, 1)) {
  loop_.Unref(env);
}

void Jobs::notify(std::function<void(Napi::Env)> call) {
  auto* boxed = new std::function<void(Napi::Env)>(std::move(call));
  const napi_status status = loop_.NonBlockingCall(
      boxed, [](Napi::Env env, Napi::Function, std::function<void(Napi::Env)>* made) {
        const std::unique_ptr<std::function<void(Napi::Env)>> owned(made);
        // Without an environment the loop is being torn down.
        if (static_cast<napi_env>(env) == nullptr) return;
        try {
          (*owned)(env);
        } catch (const Napi::Error& error) {
          error.ThrowAsJavaScriptException();
        }
      });
  if (status != napi_ok) delete boxed;
}

void Jobs::drain() {
  if (under_way_ > 0) ControlThread::get().run([] {});
}

Napi::Promise Jobs::run(std::function<Status()> work, Finish finish) {
  const auto deferred = std::make_shared<Napi::Promise::Deferred>(env_);
  if (under_way_++ == 0) loop_.Ref(env_);
  ControlThread::get().post([this, deferred, work = std::move(work), finish = std::move(finish)] {
    Status wrong = work();
    notify([this, deferred, finish, wrong = std::move(wrong)](Napi::Env env) {
      if (--under_way_ == 0) loop_.Unref(env);
      if (wrong) {
        deferred->Reject(to_error(env, *wrong).Value());
        return;
      }
      try {
        deferred->Resolve(finish(env));
      } catch (const Napi::Error& error) {
        deferred->Reject(error.Value());
      }
    });
  });
  return deferred->Promise();
}

}  // namespace sluice::binding
