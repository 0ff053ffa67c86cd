// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <napi.h>

#include "stage/explain.h"

namespace sluice::binding {

// AddonExplanation of typings/addon.d.ts.
Napi::Value from_explanation(Napi::Env env, const Explanation& explanation);

}  // namespace sluice::binding
