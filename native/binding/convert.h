// SPDX-License-Identifier: Apache-2.0
// JS values to C++ values and back. No Napi handle outlives the call that made it.
#pragma once

#include <napi.h>

#include <utility>

#include "base/result.h"
#include "config/program.h"
#include "engine/engine.h"

namespace sluice::binding {

// All throw Napi::Error (code ERR_OPTIONS, ERR_PROGRAM or ERR_INTERFACE, and `path`) on a wrong
// type.
EngineOptions to_options(const Napi::Value& value);
ProgramDelta to_delta(const Napi::Value& value);  // copies the columns
InterfaceRequest to_request(const Napi::Value& value);

// These run no JavaScript. What is no slot becomes one that nobody has.
uint32_t to_slot(const Napi::Value& value);
// Everything from 2^32 - 1 on means no limit; what is no number means nothing at all.
uint32_t to_limit(const Napi::Value& value);
// No bytes where the memory has been taken away from the array.
std::pair<const uint8_t*, uint32_t> bytes_of(const Napi::Uint8Array& array);

Napi::Value from_report(Napi::Env env, const InterfaceReport& report);
Napi::Value from_events(Napi::Env env, const std::vector<LinkEvent>& events);
// Rows as typings/addon.d.ts describes them.
Napi::Value from_flows(Napi::Env env, const std::vector<FlowView>& flows);

// An Error with `code` and, if known, `path`.
Napi::Error to_error(Napi::Env env, const Error& error);

}  // namespace sluice::binding
