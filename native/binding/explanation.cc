// SPDX-License-Identifier: Apache-2.0
#include "binding/explanation.h"

#include <cstring>

namespace sluice::binding {
namespace {

Napi::Value from_bytes(Napi::Env env, const uint8_t* bytes, size_t size) {
  Napi::Uint8Array array = Napi::Uint8Array::New(env, size);
  std::memcpy(array.Data(), bytes, size);
  return array;
}

Napi::Value from_value(Napi::Env env, uint32_t value) { return Napi::Number::New(env, value); }
Napi::Value from_value(Napi::Env env, Scope scope) {
  return from_value(env, static_cast<uint32_t>(scope));
}
Napi::Value from_value(Napi::Env env, DropReason reason) {
  return from_value(env, static_cast<uint32_t>(reason));
}
Napi::Value from_value(Napi::Env env, const Address& address) {
  return from_bytes(env, address.bytes, sizeof(address.bytes));
}
Napi::Value from_value(Napi::Env env, const std::array<uint8_t, 6>& mac) {
  return from_bytes(env, mac.data(), mac.size());
}

Napi::Value from_value(Napi::Env env, const Explanation::Tuple& tuple);
Napi::Value from_value(Napi::Env env, const Explanation::Flow& flow);
Napi::Value from_value(Napi::Env env, const Judgement& judgement);
Napi::Value from_value(Napi::Env env, const Explanation::Route& route);
Napi::Value from_value(Napi::Env env, const Explanation::NextStation& station);
Napi::Value from_value(Napi::Env env, const Explanation::Carrier& carrier);

template <typename T>
Napi::Value from_optional(Napi::Env env, const std::optional<T>& value) {
  return value ? from_value(env, *value) : env.Null();
}

Napi::Value from_value(Napi::Env env, const Explanation::Tuple& tuple) {
  Napi::Object object = Napi::Object::New(env);
  object.Set("source", from_value(env, tuple.source));
  object.Set("destination", from_value(env, tuple.destination));
  object.Set("sourcePort", Napi::Number::New(env, tuple.source_port));
  object.Set("destinationPort", Napi::Number::New(env, tuple.destination_port));
  object.Set("protocol", Napi::Number::New(env, tuple.protocol));
  return object;
}

Napi::Value from_value(Napi::Env env, const Explanation::Flow& flow) {
  constexpr const char* kDirections[] = {"forward", "reply", "related"};
  Napi::Object object = Napi::Object::New(env);
  object.Set("direction",
             Napi::String::New(env, kDirections[static_cast<uint32_t>(flow.direction)]));
  object.Set("state", Napi::Number::New(env, static_cast<uint32_t>(flow.state)));
  return object;
}

Napi::Value from_value(Napi::Env env, const Judgement& judgement) {
  Napi::Object object = Napi::Object::New(env);
  object.Set("allowed", Napi::Boolean::New(env, judgement.allowed));
  object.Set("rule", from_optional(env, judgement.rule));
  return object;
}

Napi::Value from_value(Napi::Env env, const Explanation::Route& route) {
  Napi::Object object = Napi::Object::New(env);
  object.Set("interface", Napi::Number::New(env, route.interface));
  object.Set("gateway", from_optional(env, route.gateway));
  object.Set("mac", from_optional(env, route.mac));
  return object;
}

Napi::Value from_value(Napi::Env env, const Explanation::NextStation& station) {
  Napi::Object object = Napi::Object::New(env);
  object.Set("address", from_value(env, station.address));
  object.Set("mac", from_optional(env, station.mac));
  return object;
}

Napi::Value from_value(Napi::Env env, const Explanation::Carrier& carrier) {
  Napi::Object object = Napi::Object::New(env);
  object.Set("interface", Napi::Number::New(env, carrier.interface));
  object.Set("remote", from_value(env, carrier.remote));
  object.Set("neighbour", from_optional(env, carrier.neighbour));
  return object;
}

Napi::Value from_tunnel(Napi::Env env, const std::optional<uint16_t>& slot) {
  if (!slot) return env.Null();
  Napi::Object object = Napi::Object::New(env);
  object.Set("interface", Napi::Number::New(env, *slot));
  return object;
}

}  // namespace

Napi::Value from_explanation(Napi::Env env, const Explanation& explanation) {
  constexpr const char* kFates[] = {"forward", "answer", "host", "drop", "hold"};
  Napi::Object object = Napi::Object::New(env);
  object.Set("fate", Napi::String::New(env, kFates[static_cast<uint32_t>(explanation.fate)]));
  object.Set("reason", from_optional(env, explanation.reason));
  object.Set("rejected", Napi::Boolean::New(env, explanation.rejected));
  object.Set("tuple", from_optional(env, explanation.tuple));
  object.Set("scope", from_optional(env, explanation.scope));
  object.Set("flow", from_optional(env, explanation.flow));
  object.Set("frontend", from_optional(env, explanation.frontend));
  object.Set("pool", from_optional(env, explanation.pool));
  object.Set("maglevSlot", from_optional(env, explanation.maglev_slot));
  object.Set("affinity", Napi::Boolean::New(env, explanation.affinity));
  object.Set("backend", from_optional(env, explanation.backend));
  object.Set("egress", from_optional(env, explanation.egress));
  object.Set("ingress", from_optional(env, explanation.ingress));
  object.Set("masquerade", Napi::Boolean::New(env, explanation.masquerade));
  object.Set("rewrite", from_optional(env, explanation.rewrite));
  object.Set("route", from_optional(env, explanation.route));
  object.Set("neighbour", from_optional(env, explanation.neighbour));
  object.Set("tunnel", from_tunnel(env, explanation.tunnel));
  object.Set("encap", from_optional(env, explanation.encap));
  return object;
}

}  // namespace sluice::binding
