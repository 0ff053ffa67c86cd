// SPDX-License-Identifier: Apache-2.0
// JS values to C++ values and back. No Napi handle outlives the call that made it.
#pragma once

#include <napi.h>

#include "base/result.h"
#include "config/program.h"
#include "engine/engine.h"

namespace sluice::binding {

// All throw Napi::Error (code ERR_OPTIONS, ERR_PROGRAM or ERR_INTERFACE, and `path`) on a wrong
// type.
EngineOptions to_options(const Napi::Object& options);
ProgramDelta to_delta(const Napi::Object& delta);  // copies the columns
InterfaceRequest to_request(const Napi::Object& request);

Napi::Value from_report(Napi::Env env, const InterfaceReport& report);
Napi::Value from_events(Napi::Env env, const std::vector<LinkEvent>& events);
// Rows as typings/addon.d.ts describes them.
Napi::Value from_flows(Napi::Env env, const std::vector<FlowView>& flows);

// An Error with `code` and, if known, `path`.
Napi::Error to_error(Napi::Env env, const Error& error);

}  // namespace sluice::binding
