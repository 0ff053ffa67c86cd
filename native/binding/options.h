// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <napi.h>

#include "engine/engine.h"

namespace sluice::binding {

// EngineOptions of lib/engine/engine.ts, every one of them. Throws Napi::Error with code
// ERR_OPTIONS and a path such as `timeouts.icmp`.
EngineOptions to_options(const Napi::Value& value);

}  // namespace sluice::binding
