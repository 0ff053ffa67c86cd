// SPDX-License-Identifier: Apache-2.0
#include "binding/options.h"

#include <string>

#include "binding/values.h"

namespace sluice::binding {
namespace {

// Options that are whole numbers; `prefix` goes before the key in the path.
class Numbers {
 public:
  Numbers(const Napi::Object& object, std::string prefix)
      : object_(object), prefix_(std::move(prefix)) {}

  uint32_t read(const char* key, uint32_t least, uint32_t most) const {
    const Napi::Value value = object_.Get(key);
    const double number = value.IsNumber() ? value.As<Napi::Number>().DoubleValue() : -1;
    if (number >= least && number <= most && number == static_cast<uint32_t>(number)) {
      return static_cast<uint32_t>(number);
    }
    throw to_error(object_.Env(), {"ERR_OPTIONS",
                                   "must be a whole number from " + std::to_string(least) + " to " +
                                       std::to_string(most),
                                   prefix_ + key});
  }

 private:
  const Napi::Object& object_;
  const std::string prefix_;
};

Limits to_limits(const Napi::Object& options) {
  constexpr uint32_t kMost = 1u << 24;
  const Numbers numbers(options, "");
  Limits limits;
  limits.workers = numbers.read("workers", 1, kMostWorkers);
  limits.flows = numbers.read("flows", 1, kMost);
  limits.flows6 = numbers.read("flows6", 1, kMost);
  limits.affinities = numbers.read("affinities", 1, kMost);
  limits.backends = numbers.read("backends", 1, kMost);
  limits.interfaces = numbers.read("interfaces", 1, kNoInterface);
  limits.neighbours = numbers.read("neighbours", 1, kMost);
  limits.routes = numbers.read("routes", 1, kMost);
  limits.held_per_neighbour = numbers.read("heldPerNeighbour", 1, kMost);
  limits.held_packets = numbers.read("heldPackets", 1, kMost);
  limits.fragments = numbers.read("fragments", 1, kMost);
  limits.fragment_packets = numbers.read("fragmentPackets", 1, kMost);
  limits.icmp_rate = numbers.read("icmpRate", 0, kMost);
  limits.snat_port_min = numbers.read("snatPortMin", 1, UINT16_MAX);
  limits.snat_port_max = numbers.read("snatPortMax", limits.snat_port_min, UINT16_MAX);
  limits.tcp_pickup = to_bool(options, "tcpPickup", "ERR_OPTIONS");
  return limits;
}

Timeouts to_timeouts(const Napi::Object& object) {
  const Numbers numbers(object, "timeouts.");
  const auto seconds = [&](const char* key) { return numbers.read(key, 1, UINT32_MAX); };
  Timeouts timeouts;
  timeouts.tcp_unreplied = seconds("tcpUnreplied");
  timeouts.tcp_syn_received = seconds("tcpSynReceived");
  timeouts.tcp_established = seconds("tcpEstablished");
  timeouts.tcp_close_wait = seconds("tcpCloseWait");
  timeouts.tcp_time_wait = seconds("tcpTimeWait");
  timeouts.tcp_closed = seconds("tcpClosed");
  timeouts.udp_unreplied = seconds("udpUnreplied");
  timeouts.udp_stream = seconds("udpStream");
  timeouts.sctp_unreplied = seconds("sctpUnreplied");
  timeouts.sctp_established = seconds("sctpEstablished");
  timeouts.sctp_closed = seconds("sctpClosed");
  timeouts.icmp = seconds("icmp");
  timeouts.fragment = seconds("fragment");
  timeouts.hold = seconds("hold");
  timeouts.neighbour_stale = seconds("neighbourStale");
  timeouts.neighbour_dead = seconds("neighbourDead");
  return timeouts;
}

}  // namespace

EngineOptions to_options(const Napi::Value& value) {
  constexpr const char* kCode = "ERR_OPTIONS";
  const Napi::Object options = to_object(value, "options", kCode);
  EngineOptions result;
  result.limits = to_limits(options);
  result.limits.timeouts = to_timeouts(to_object(options.Get("timeouts"), "timeouts", kCode));
  const Numbers numbers(options, "");
  result.mbufs = numbers.read("mbufs", 1, 1u << 24);
  result.memory_mib = numbers.read("memory", 1, 1u << 24);
  const std::string hugepages = to_string(options, "hugepages", kCode);
  result.hugepages = hugepages == "on"    ? Hugepages::on
                     : hugepages == "off" ? Hugepages::off
                                          : Hugepages::automatic;
  const std::string clock = to_string(options, "clock", kCode);
  if (clock != "real" && clock != "manual") {
    throw to_error(options.Env(), {kCode, "must be real or manual", "clock"});
  }
  result.manual_clock = clock == "manual";
  return result;
}

}  // namespace sluice::binding
