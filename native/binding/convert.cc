// SPDX-License-Identifier: Apache-2.0
#include "binding/convert.h"

#include <algorithm>
#include <cstring>
#include <string_view>

#include "binding/values.h"

namespace sluice::binding {
namespace {

template <typename T>
struct ElementType;
template <>
struct ElementType<uint8_t> {
  static constexpr napi_typedarray_type value = napi_uint8_array;
};
template <>
struct ElementType<uint16_t> {
  static constexpr napi_typedarray_type value = napi_uint16_array;
};
template <>
struct ElementType<uint32_t> {
  static constexpr napi_typedarray_type value = napi_uint32_array;
};

template <typename T>
std::vector<T> to_column(const Napi::Value& value, const char* path) {
  if (!value.IsTypedArray() ||
      value.As<Napi::TypedArray>().TypedArrayType() != ElementType<T>::value) {
    throw to_error(value.Env(), {"ERR_PROGRAM",
                                 "not an unsigned typed array of " + std::to_string(sizeof(T)) +
                                     " bytes an element",
                                 path});
  }
  const auto array = value.As<Napi::TypedArrayOf<T>>();
  return std::vector<T>(array.Data(), array.Data() + array.ElementLength());
}

// Whether a table that may be `null` is there; others always are.
bool is_given(const ProgramDelta& delta, std::string_view table) {
  if (table == "addresses") return delta.addresses_given;
  if (table == "scopes") return delta.scopes_given;
  if (table == "podNetworks") return delta.pod_networks_given;
  if (table == "serviceNetworks") return delta.service_networks_given;
  if (table == "sources") return delta.sources_given;
  return true;
}

}  // namespace

ProgramDelta to_delta(const Napi::Value& value) {
  const Napi::Object delta = to_object(value, "delta", "ERR_PROGRAM");
  ProgramDelta result;
  result.addresses_given = !delta.Get("addresses").IsNull();
  result.scopes_given = !delta.Get("scopes").IsNull();
  result.pod_networks_given = !delta.Get("podNetworks").IsNull();
  result.service_networks_given = !delta.Get("serviceNetworks").IsNull();
  result.sources_given = !delta.Get("sources").IsNull();
  const auto table = [&](const char* name) {
    return to_object(delta.Get(name), name, "ERR_PROGRAM");
  };
#define X(name, column, type)                                                           \
  if (is_given(result, #name)) {                                                        \
    result.name.column = to_column<type>(table(#name).Get(#column), #name "." #column); \
  }
#define LIST(name, type) result.name = to_column<type>(delta.Get(#name), #name);
  SLUICE_PROGRAM_COLUMNS(X, LIST)
#undef X
#undef LIST
  return result;
}

InterfaceRequest to_request(const Napi::Value& value) {
  constexpr const char* kCode = "ERR_INTERFACE";
  const Napi::Object request = to_object(value, "request", kCode);
  InterfaceRequest result;
  const uint32_t slot = to_uint(request, "slot", kCode);
  const uint32_t mtu = to_uint(request, "mtu", kCode);
  if (slot > UINT16_MAX) throw to_error(request.Env(), {kCode, "above 65535", "slot"});
  if (mtu > UINT16_MAX) throw to_error(request.Env(), {kCode, "above 65535", "mtu"});
  result.slot = static_cast<uint16_t>(slot);
  result.mtu = static_cast<uint16_t>(mtu);
  result.kind = to_string(request, "kind", kCode);
  result.name = to_string(request, "name", kCode);
  result.unfinished_checksums = to_bool(request, "unfinishedChecksums", kCode);
  if (!request.Get("mac").IsNull()) {
    const std::vector<uint8_t> mac = to_column<uint8_t>(request.Get("mac"), "mac");
    if (mac.size() != sizeof(result.mac)) {
      throw to_error(request.Env(), {kCode, "not 6 bytes", "mac"});
    }
    std::memcpy(result.mac, mac.data(), sizeof(result.mac));
    result.has_mac = true;
  }
  if (!request.Get("worker").IsNull()) {
    const uint32_t worker = to_uint(request, "worker", kCode);
    result.worker = worker > INT32_MAX ? INT32_MAX : static_cast<int>(worker);
  }
  result.queues =
      static_cast<uint16_t>(std::min<uint32_t>(to_uint(request, "queues", kCode), UINT16_MAX));
  result.software_rss = to_bool(request, "softwareRss", kCode);
  const Napi::Object parameters = to_object(request.Get("parameters"), "parameters", kCode);
  const Napi::Array keys = parameters.GetPropertyNames();
  for (uint32_t i = 0; i < keys.Length(); ++i) {
    const std::string key = keys.Get(i).ToString().Utf8Value();
    result.parameters[key] = to_string(parameters, key.c_str(), kCode);
  }
  return result;
}

uint32_t to_slot(const Napi::Value& value) {
  const double number = value.IsNumber() ? value.As<Napi::Number>().DoubleValue() : -1;
  const bool whole = number >= 0 && number < UINT32_MAX && number == static_cast<uint32_t>(number);
  return whole ? static_cast<uint32_t>(number) : UINT32_MAX;
}

uint32_t to_limit(const Napi::Value& value) {
  const double number = value.IsNumber() ? value.As<Napi::Number>().DoubleValue() : 0;
  if (!(number > 0)) return 0;
  return number < UINT32_MAX ? static_cast<uint32_t>(number) : UINT32_MAX;
}

Napi::Uint8Array to_bytes(const Napi::Value& value, const char* path) {
  if (!value.IsTypedArray() || value.As<Napi::TypedArray>().TypedArrayType() != napi_uint8_array) {
    throw to_error(value.Env(), {"ERR_INTERFACE", "not a Uint8Array", path});
  }
  return value.As<Napi::Uint8Array>();
}

std::pair<const uint8_t*, uint32_t> bytes_of(const Napi::Uint8Array& array) {
  // Asked anew: the array object in hand remembers how long it was when it was made.
  void* data = nullptr;
  size_t length = 0;
  napi_get_typedarray_info(array.Env(), array, nullptr, &length, &data, nullptr, nullptr);
  if (data == nullptr) length = 0;
  return {static_cast<const uint8_t*>(data),
          static_cast<uint32_t>(std::min<size_t>(length, UINT32_MAX))};
}

Napi::Value from_report(Napi::Env env, const InterfaceReport& report) {
  Napi::Object object = Napi::Object::New(env);
  Napi::Uint8Array mac = Napi::Uint8Array::New(env, sizeof(report.mac));
  std::memcpy(mac.Data(), report.mac, sizeof(report.mac));
  object.Set("slot", Napi::Number::New(env, report.slot));
  object.Set("mac", mac);
  object.Set("worker", Napi::Number::New(env, report.worker));
  object.Set("up", Napi::Boolean::New(env, report.up));
  return object;
}

Napi::Value from_events(Napi::Env env, const std::vector<LinkEvent>& events) {
  Napi::Array array = Napi::Array::New(env, events.size());
  for (size_t i = 0; i < events.size(); ++i) {
    Napi::Object event = Napi::Object::New(env);
    event.Set("slot", Napi::Number::New(env, events[i].slot));
    event.Set("up", Napi::Boolean::New(env, events[i].up));
    array.Set(static_cast<uint32_t>(i), event);
  }
  return array;
}

Napi::Value from_flows(Napi::Env env, const std::vector<FlowView>& flows) {
  // The twin is lib/engine/native/flow-rows.ts. Little-endian, like every host this builds on.
  struct Row {
    uint8_t protocol, state;
    uint16_t client_port, service_port, backend_port, source_port, zero;
    uint32_t backend_slot, idle_s, zeros;
    Address client, service, backend, source;
    double packets, bytes, reply_packets, reply_bytes;
  };
  static_assert(sizeof(Row) == 120 && offsetof(Row, client) == 24 && offsetof(Row, packets) == 88);
  Napi::ArrayBuffer buffer = Napi::ArrayBuffer::New(env, flows.size() * sizeof(Row));
  Row* row = static_cast<Row*>(buffer.Data());
  for (const FlowView& flow : flows) {
    *row++ = {.protocol = flow.protocol,
              .state = static_cast<uint8_t>(flow.state),
              .client_port = flow.client_port.host(),
              .service_port = flow.service_port.host(),
              .backend_port = flow.backend_port.host(),
              .source_port = flow.source_port.host(),
              .zero = 0,
              .backend_slot = flow.backend_slot,
              .idle_s = flow.idle_s,
              .zeros = 0,
              .client = flow.client,
              .service = flow.service,
              .backend = flow.backend,
              .source = flow.source,
              .packets = static_cast<double>(flow.packets),
              .bytes = static_cast<double>(flow.bytes),
              .reply_packets = static_cast<double>(flow.reply_packets),
              .reply_bytes = static_cast<double>(flow.reply_bytes)};
  }
  return buffer;
}

Napi::Value from_occupancy(Napi::Env env, const Occupancy& occupancy) {
  Napi::Object object = Napi::Object::New(env);
  object.Set("flows", Napi::Number::New(env, occupancy.flows));
  object.Set("flows6", Napi::Number::New(env, occupancy.flows6));
  object.Set("affinities", Napi::Number::New(env, occupancy.affinities));
  object.Set("neighbours", Napi::Number::New(env, occupancy.neighbours));
  object.Set("routes", Napi::Number::New(env, occupancy.program.routes));
  object.Set("frontends", Napi::Number::New(env, occupancy.program.frontends));
  object.Set("backends", Napi::Number::New(env, occupancy.program.backends));
  object.Set("pools", Napi::Number::New(env, occupancy.program.pools));
  return object;
}

}  // namespace sluice::binding
