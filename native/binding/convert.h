// SPDX-License-Identifier: Apache-2.0
// JS values to C++ values and back. No Napi handle outlives the call that made it.
#pragma once

#include <napi.h>

#include <utility>

#include "config/program.h"
#include "engine/engine.h"

namespace sluice::binding {

// Both throw Napi::Error (code ERR_PROGRAM or ERR_INTERFACE, and `path`) on a wrong type.
ProgramDelta to_delta(const Napi::Value& value);  // copies the columns
InterfaceRequest to_request(const Napi::Value& value);

// These run no JavaScript. What is no slot becomes one that nobody has.
uint32_t to_slot(const Napi::Value& value);
// Everything from 2^32 - 1 on means no limit; what is no number means nothing at all.
uint32_t to_limit(const Napi::Value& value);
// ERR_INTERFACE with `path` for anything but a Uint8Array.
Napi::Uint8Array to_bytes(const Napi::Value& value, const char* path);
// No bytes where the memory has been taken away from the array.
std::pair<const uint8_t*, uint32_t> bytes_of(const Napi::Uint8Array& array);

Napi::Value from_report(Napi::Env env, const InterfaceReport& report);
Napi::Value from_events(Napi::Env env, const std::vector<LinkEvent>& events);
// Rows as lib/engine/native/flow-rows.ts reads them.
Napi::Value from_flows(Napi::Env env, const std::vector<FlowView>& flows);
Napi::Value from_occupancy(Napi::Env env, const Occupancy& occupancy);

}  // namespace sluice::binding
