// SPDX-License-Identifier: Apache-2.0
// What JavaScript sees; the contract is typings/addon.d.ts. One engine per process: the one that is
// open is held here, shared with the jobs that are under way.
#include <napi.h>

#include <atomic>
#include <cstring>

#include "base/counters.h"
#include "base/reasons.h"
#include "binding/convert.h"
#include "binding/explanation.h"
#include "binding/jobs.h"
#include "binding/options.h"
#include "binding/values.h"
#include "engine/control_thread.h"
#include "engine/engine.h"

namespace sluice::binding {
namespace {

std::atomic<bool> g_engine_open{false};  // over all environments of the process

// Waits for the control thread.
void take_down(std::shared_ptr<Engine>& engine) {
  if (!engine) return;
  ControlThread::get().run([&engine] {
    ControlThread::get().on_tick({});
    engine.reset();
  });
  g_engine_open.store(false);
}

class EngineHandle : public Napi::ObjectWrap<EngineHandle> {
 public:
  static Napi::Function define(Napi::Env env) {
    return DefineClass(env, "AddonEngine",
                       {InstanceMethod<&EngineHandle::commit>("commit"),
                        InstanceMethod<&EngineHandle::add_interface>("addInterface"),
                        InstanceMethod<&EngineHandle::remove_interface>("removeInterface"),
                        InstanceMethod<&EngineHandle::flows>("flows"),
                        InstanceMethod<&EngineHandle::occupancy>("occupancy"),
                        InstanceMethod<&EngineHandle::explain>("explain"),
                        InstanceMethod<&EngineHandle::send>("send"),
                        InstanceMethod<&EngineHandle::receive>("receive"),
                        InstanceMethod<&EngineHandle::set_link>("setLink"),
                        InstanceMethod<&EngineHandle::step>("step"),
                        InstanceMethod<&EngineHandle::close>("close")});
  }

  explicit EngineHandle(const Napi::CallbackInfo& info) : Napi::ObjectWrap<EngineHandle>(info) {}
  ~EngineHandle() override { close_now(); }

  // Once, right after construction: the constructor cannot be handed C++ values.
  void adopt(Napi::Env env, Jobs* jobs, std::shared_ptr<Engine> engine) {
    jobs_ = jobs;
    engine_ = std::move(engine);
    Napi::Object self = Value();
    const std::shared_ptr<CounterRegion> region = engine_->counters();
    Napi::ArrayBuffer buffer = Napi::ArrayBuffer::New(
        env, region->data(), region->bytes(),
        [](Napi::Env, void*, std::shared_ptr<CounterRegion>* held) { delete held; },
        new std::shared_ptr<CounterRegion>(region));
    Napi::Object layout = Napi::Object::New(env);
    layout.Set("worker", region->layout.worker);
    layout.Set("drops", region->layout.drops);
    layout.Set("interfaces", region->layout.interfaces);
    layout.Set("backends", region->layout.backends);
    Napi::Object counters = Napi::Object::New(env);
    counters.Set("buffer", buffer);
    counters.Set("stride", region->layout.stride);
    counters.Set("layout", layout);
    self.Set("counters", counters);
    self.Set("hugepages", engine_->eal().hugepages);
    self.Set("workers", engine_->options().limits.workers);
    const std::vector<uint32_t> cpus = engine_->cpus();
    Napi::Array worker_cpus = Napi::Array::New(env, cpus.size());
    for (uint32_t i = 0; i < cpus.size(); ++i) worker_cpus.Set(i, cpus[i]);
    self.Set("workerCpus", worker_cpus);
  }

  // The environment goes away, or nobody holds the handle any more: take everything down, now.
  void close_now() {
    std::shared_ptr<Engine> engine = std::move(engine_);
    engine_.reset();
    take_down(engine);
  }

 private:
  std::shared_ptr<Engine> engine(Napi::Env env) const {
    if (!engine_) throw to_error(env, {"ERR_CLOSED", "the engine has been closed", ""});
    return engine_;
  }

  Napi::Value commit(const Napi::CallbackInfo& info) {
    const auto engine = this->engine(info.Env());
    auto delta = std::make_shared<ProgramDelta>(to_delta(info[0]));
    auto generation = std::make_shared<uint64_t>(0);
    return jobs_->run(
        [engine, delta, generation]() -> Status {
          Result<uint64_t> committed = engine->commit(*delta);
          if (!committed.ok()) return committed.error();
          *generation = committed.value();
          return {};
        },
        [generation](Napi::Env env) {
          return Napi::Number::New(env, static_cast<double>(*generation));
        });
  }

  Napi::Value add_interface(const Napi::CallbackInfo& info) {
    const auto engine = this->engine(info.Env());
    const auto request = std::make_shared<InterfaceRequest>(to_request(info[0]));
    const auto report = std::make_shared<InterfaceReport>();
    return jobs_->run(
        [engine, request, report]() -> Status {
          Result<InterfaceReport> added = engine->add_interface(*request);
          if (!added.ok()) return added.error();
          *report = added.value();
          return {};
        },
        [report](Napi::Env env) { return from_report(env, *report); });
  }

  Napi::Value remove_interface(const Napi::CallbackInfo& info) {
    const auto engine = this->engine(info.Env());
    const uint32_t slot = to_slot(info[0]);
    return jobs_->run([engine, slot] { return engine->remove_interface(slot); },
                      [](Napi::Env env) { return env.Undefined(); });
  }

  Napi::Value flows(const Napi::CallbackInfo& info) {
    const auto engine = this->engine(info.Env());
    const size_t limit = to_limit(info[0]);
    const auto views = std::make_shared<std::vector<FlowView>>();
    return jobs_->run(
        [engine, limit, views]() -> Status {
          *views = engine->flows(limit);
          return {};
        },
        [views](Napi::Env env) { return from_flows(env, *views); });
  }

  Napi::Value occupancy(const Napi::CallbackInfo& info) {
    return from_occupancy(info.Env(), engine(info.Env())->occupancy());
  }

  Napi::Value explain(const Napi::CallbackInfo& info) {
    const auto engine = this->engine(info.Env());
    const uint32_t slot = to_slot(info[0]);
    const auto [data, length] = bytes_of(to_bytes(info[1], "frame"));
    const auto frame = std::make_shared<std::vector<uint8_t>>(data, data + length);
    const auto explanation = std::make_shared<Explanation>();
    return jobs_->run(
        [engine, slot, frame, explanation]() -> Status {
          Result<Explanation> explained = engine->explain(slot, *frame);
          if (!explained.ok()) return explained.error();
          *explanation = explained.value();
          return {};
        },
        [explanation](Napi::Env env) { return from_explanation(env, *explanation); });
  }

  Napi::Value send(const Napi::CallbackInfo& info) {
    const auto engine = this->engine(info.Env());
    const uint32_t slot = to_slot(info[0]);
    if (!info[1].IsArray()) throw to_error(info.Env(), {"ERR_INTERFACE", "not an array", "frames"});
    const Napi::Array array = info[1].As<Napi::Array>();
    std::vector<Napi::Uint8Array> arrays;
    for (uint32_t i = 0; i < array.Length(); ++i) {
      arrays.push_back(to_bytes(array.Get(i), "frames"));
    }
    // Only now: reading an element may have run JavaScript, which can take the memory of an array
    // that was read before.
    std::vector<std::pair<const uint8_t*, uint32_t>> frames;
    for (const Napi::Uint8Array& frame : arrays) frames.push_back(bytes_of(frame));
    const Result<uint32_t> sent = engine->send(slot, frames);
    if (!sent.ok()) throw to_error(info.Env(), sent.error());
    return Napi::Number::New(info.Env(), sent.value());
  }

  Napi::Value receive(const Napi::CallbackInfo& info) {
    const auto engine = this->engine(info.Env());
    Napi::Array frames = Napi::Array::New(info.Env());
    const Status wrong = engine->receive(
        to_slot(info[0]), to_limit(info[1]), [&](const uint8_t* data, uint32_t length) {
          Napi::Uint8Array frame = Napi::Uint8Array::New(info.Env(), length);
          std::memcpy(frame.Data(), data, length);
          frames.Set(frames.Length(), frame);
        });
    if (wrong) throw to_error(info.Env(), *wrong);
    return frames;
  }

  Napi::Value set_link(const Napi::CallbackInfo& info) {
    const auto engine = this->engine(info.Env());
    const uint32_t slot = to_slot(info[0]);
    const bool up = info[1].ToBoolean();
    return jobs_->run([engine, slot, up] { return engine->set_link(slot, up); },
                      [](Napi::Env env) { return env.Undefined(); });
  }

  Napi::Value step(const Napi::CallbackInfo& info) {
    const auto engine = this->engine(info.Env());
    if (!engine->options().manual_clock) {
      throw to_error(info.Env(), {"ERR_OPTIONS", "only with the manual clock", "clock"});
    }
    engine->step(static_cast<uint64_t>(info[0].ToNumber().Int64Value()));
    return info.Env().Undefined();
  }

  Napi::Value close(const Napi::CallbackInfo& info) {
    if (!jobs_) engine(info.Env());  // made by somebody else than open()
    // The jobs before this one hold the engine too, but they are done when this one runs.
    const auto held = std::make_shared<std::shared_ptr<Engine>>(std::move(engine_));
    engine_.reset();
    return jobs_->run(
        [held]() -> Status {
          if (!*held) return {};
          ControlThread::get().on_tick({});
          held->reset();
          g_engine_open.store(false);
          return {};
        },
        [](Napi::Env env) { return env.Undefined(); });
  }

  Jobs* jobs_ = nullptr;
  std::shared_ptr<Engine> engine_;
};

// One per environment that loads the addon.
class Addon : public Napi::Addon<Addon> {
 public:
  Addon(Napi::Env env, Napi::Object exports) : jobs_(std::make_unique<Jobs>(env)) {
    handle_class_ = Napi::Persistent(EngineHandle::define(env));
    DefineAddon(exports, {InstanceMethod<&Addon::describe>("describe"),
                          InstanceMethod<&Addon::open>("open")});
    env.AddCleanupHook([](Addon* addon) { addon->leave(); }, this);
  }

 private:
  // The environment goes away: afterwards no other thread knows of this object. Work under way may
  // be a close, or an open that nobody will take the engine from.
  void leave() {
    jobs_->drain();
    if (opening_) take_down(*opening_);
    if (open_handle_) open_handle_->close_now();
  }

  Napi::Value describe(const Napi::CallbackInfo& info) {
    const Napi::Env env = info.Env();
    const auto list = [env](std::initializer_list<const char*> names) {
      Napi::Array array = Napi::Array::New(env);
      for (const char* name : names) array.Set(array.Length(), Napi::String::New(env, name));
      return array;
    };
    Napi::Object description = Napi::Object::New(env);
    description.Set("dpdk", dpdk_version());
    Napi::Array cpu = Napi::Array::New(env);
#ifdef __SSE4_2__
    if (__builtin_cpu_supports("sse4.2")) cpu.Set(cpu.Length(), Napi::String::New(env, "sse4.2"));
#endif
    description.Set("cpu", cpu);
#define X(symbol, cause, remedy) #symbol,
    description.Set("reasons", list({SLUICE_DROP_REASONS(X)}));
#undef X
#define X(table, column, type) #table "." #column,
#define LIST(table, type) #table,
    description.Set("columns", list({SLUICE_PROGRAM_COLUMNS(X, LIST)}));
#undef X
#undef LIST
#define X(name) #name,
    description.Set("workerCounters", list({SLUICE_WORKER_COUNTERS(X)}));
#undef X
    return description;
  }

  Napi::Value open(const Napi::CallbackInfo& info) {
    const Napi::Env env = info.Env();
    const EngineOptions options = to_options(info[0]);
    if (!info[1].IsFunction()) throw to_error(env, {"ERR_OPTIONS", "not a function", "onLink"});
    if (g_engine_open.exchange(true)) {
      throw to_error(env, {"ERR_ENGINE_BUSY", "this process runs a native engine already", ""});
    }
    block_realtime_signals(true);
    on_link_ = Napi::Persistent(info[1].As<Napi::Function>());
    Jobs* const jobs = jobs_.get();
    const auto engine = std::make_shared<std::shared_ptr<Engine>>();
    opening_ = engine;
    return jobs->run(
        [this, options, engine, jobs]() -> Status {
          Result<std::unique_ptr<Engine>> opened =
              Engine::open(options, [this, jobs](std::vector<LinkEvent> events) {
                jobs->notify([this, events = std::move(events)](Napi::Env now) {
                  on_link_.Call({from_events(now, events)});
                });
              });
          if (!opened.ok()) {
            g_engine_open.store(false);
            return opened.error();
          }
          *engine = std::move(opened.value());
          ControlThread::get().on_tick([watched = std::weak_ptr<Engine>(*engine)] {
            if (const auto alive = watched.lock()) alive->tick();
          });
          return {};
        },
        [this, engine, jobs](Napi::Env now) -> Napi::Value {
          Napi::Object handle = handle_class_.New({});
          open_handle_ = EngineHandle::Unwrap(handle);
          open_handle_->adopt(now, jobs, std::move(*engine));
          // Held until the environment ends: a handle that nobody closes must not close by chance.
          held_handle_ = Napi::Persistent(handle);
          return handle;
        });
  }

  std::unique_ptr<Jobs> jobs_;
  Napi::FunctionReference handle_class_;
  Napi::FunctionReference on_link_;  // JS thread only
  Napi::ObjectReference held_handle_;
  EngineHandle* open_handle_ = nullptr;
  std::shared_ptr<std::shared_ptr<Engine>> opening_;  // filled by the control thread
};

}  // namespace
}  // namespace sluice::binding

using SluiceAddon = sluice::binding::Addon;
NODE_API_NAMED_ADDON(sluice, SluiceAddon)
