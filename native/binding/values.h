// SPDX-License-Identifier: Apache-2.0
// The simplest of JS values. All throw Napi::Error of `code`, with the key as `path`, on a wrong
// type.
#pragma once

#include <napi.h>

#include <string>

#include "base/result.h"

namespace sluice::binding {

uint32_t to_uint(const Napi::Object& object, const char* key, const char* code);
std::string to_string(const Napi::Object& object, const char* key, const char* code);
bool to_bool(const Napi::Object& object, const char* key, const char* code);
Napi::Object to_object(const Napi::Value& value, const char* path, const char* code);

// An Error with `code` and, if known, `path`.
Napi::Error to_error(Napi::Env env, const Error& error);

}  // namespace sluice::binding
