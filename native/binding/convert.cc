// SPDX-License-Identifier: Apache-2.0
#include "binding/convert.h"

#include <algorithm>
#include <cstring>

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

// An option that is a number of something; `prefix` goes before `key` in the path.
uint32_t to_count(const Napi::Object& object, const char* key, uint32_t most,
                  const std::string& prefix = "") {
  const Napi::Value value = object.Get(key);
  const double number = value.IsNumber() ? value.As<Napi::Number>().DoubleValue() : 0;
  if (!(number >= 1 && number <= most) || number != static_cast<uint32_t>(number)) {
    throw to_error(
        object.Env(),
        {"ERR_OPTIONS", "must be a whole number from 1 to " + std::to_string(most), prefix + key});
  }
  return static_cast<uint32_t>(number);
}

}  // namespace

EngineOptions to_options(const Napi::Value& value) {
  constexpr const char* kCode = "ERR_OPTIONS";
  constexpr uint32_t kMost = 1u << 24;
  const Napi::Object options = to_object(value, "options", kCode);
  EngineOptions result;
  result.limits.workers = to_count(options, "workers", kMost);
  result.limits.flows = to_count(options, "flows", kMost);
  result.limits.backends = to_count(options, "backends", kMost);
  result.limits.interfaces = to_count(options, "interfaces", kNoInterface);
  result.limits.neighbours = to_count(options, "neighbours", kMost);
  result.mbufs = to_count(options, "mbufs", kMost);
  result.memory_mib = to_count(options, "memory", kMost);
  const std::string hugepages = to_string(options, "hugepages", kCode);
  result.hugepages = hugepages == "on"    ? Hugepages::on
                     : hugepages == "off" ? Hugepages::off
                                          : Hugepages::automatic;
  const std::string clock = to_string(options, "clock", kCode);
  if (clock != "real" && clock != "manual") {
    throw to_error(options.Env(), {kCode, "must be real or manual", "clock"});
  }
  result.manual_clock = clock == "manual";
  const Napi::Object timeouts = to_object(options.Get("timeouts"), "timeouts", kCode);
  FlowTimeouts& into = result.limits.timeouts;
  into.tcp_unreplied = to_count(timeouts, "tcpUnreplied", UINT32_MAX, "timeouts.");
  into.tcp_established = to_count(timeouts, "tcpEstablished", UINT32_MAX, "timeouts.");
  into.tcp_close_wait = to_count(timeouts, "tcpCloseWait", UINT32_MAX, "timeouts.");
  into.tcp_closed = to_count(timeouts, "tcpClosed", UINT32_MAX, "timeouts.");
  into.udp_unreplied = to_count(timeouts, "udpUnreplied", UINT32_MAX, "timeouts.");
  into.udp_stream = to_count(timeouts, "udpStream", UINT32_MAX, "timeouts.");
  return result;
}

ProgramDelta to_delta(const Napi::Value& value) {
  const Napi::Object delta = to_object(value, "delta", "ERR_PROGRAM");
  ProgramDelta result;
  result.addresses_given = !delta.Get("addresses").IsNull();
  const auto table = [&](const char* name) {
    return to_object(delta.Get(name), name, "ERR_PROGRAM");
  };
#define X(name, column, type)                                                           \
  if (result.addresses_given || std::strcmp(#name, "addresses") != 0) {                 \
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
    uint16_t client_port, service_port, backend_port;
    uint32_t backend_slot, idle_s;
    uint8_t client[16], service[16], backend[16];
    double packets, bytes, reply_packets, reply_bytes;
  };
  static_assert(sizeof(Row) == 96);
  const auto map_address = [](uint8_t out[16], be32 address) {
    std::memset(out, 0, 10);
    std::memset(out + 10, 0xff, 2);
    std::memcpy(out + 12, &address.raw, 4);
  };
  Napi::ArrayBuffer buffer = Napi::ArrayBuffer::New(env, flows.size() * sizeof(Row));
  Row* row = static_cast<Row*>(buffer.Data());
  for (const FlowView& flow : flows) {
    const FiveTuple& tuple = flow.client_to_service;
    row->protocol = tuple.protocol;
    row->state = static_cast<uint8_t>(flow.state);
    row->client_port = tuple.source_port.host();
    row->service_port = tuple.destination_port.host();
    row->backend_port = flow.backend_port.host();
    row->backend_slot = flow.backend_slot;
    row->idle_s = flow.idle_s;
    map_address(row->client, tuple.source);
    map_address(row->service, tuple.destination);
    map_address(row->backend, flow.backend);
    row->packets = static_cast<double>(flow.packets);
    row->bytes = static_cast<double>(flow.bytes);
    row->reply_packets = static_cast<double>(flow.reply_packets);
    row->reply_bytes = static_cast<double>(flow.reply_bytes);
    ++row;
  }
  return buffer;
}

Napi::Error to_error(Napi::Env env, const Error& error) {
  Napi::Error result = Napi::Error::New(env, error.message);
  result.Set("code", Napi::String::New(env, error.code));
  if (!error.path.empty()) result.Set("path", Napi::String::New(env, error.path));
  return result;
}

}  // namespace sluice::binding
