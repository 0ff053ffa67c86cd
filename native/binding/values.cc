// SPDX-License-Identifier: Apache-2.0
#include "binding/values.h"

namespace sluice::binding {

uint32_t to_uint(const Napi::Object& object, const char* key, const char* code) {
  const Napi::Value value = object.Get(key);
  const double number = value.IsNumber() ? value.As<Napi::Number>().DoubleValue() : -1;
  if (!(number >= 0 && number <= UINT32_MAX) || number != static_cast<uint32_t>(number)) {
    throw to_error(object.Env(), {code, "not a whole number from 0 to 2^32 - 1", key});
  }
  return static_cast<uint32_t>(number);
}

std::string to_string(const Napi::Object& object, const char* key, const char* code) {
  const Napi::Value value = object.Get(key);
  if (!value.IsString()) throw to_error(object.Env(), {code, "not a string", key});
  return value.As<Napi::String>().Utf8Value();
}

Napi::Object to_object(const Napi::Value& value, const char* path, const char* code) {
  if (!value.IsObject()) throw to_error(value.Env(), {code, "not an object", path});
  return value.As<Napi::Object>();
}

bool to_bool(const Napi::Object& object, const char* key, const char* code) {
  const Napi::Value value = object.Get(key);
  if (!value.IsBoolean()) throw to_error(object.Env(), {code, "not a boolean", key});
  return value.As<Napi::Boolean>();
}

Napi::Error to_error(Napi::Env env, const Error& error) {
  Napi::Error result = Napi::Error::New(env, error.message);
  result.Set("code", Napi::String::New(env, error.code));
  if (!error.path.empty()) result.Set("path", Napi::String::New(env, error.path));
  return result;
}

}  // namespace sluice::binding
