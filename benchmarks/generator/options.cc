// SPDX-License-Identifier: Apache-2.0
#include "generator/options.h"

#include <sys/un.h>

#include <bit>

#include "generator/fields.h"
#include "generator/population.h"
#include "packet/headers.h"

namespace sluice::generator {
namespace {

constexpr uint32_t kMostFlows = 4'000'000;
constexpr uint32_t kMostWindow = 32'768;
// Of a fragment's headers, with what rounding its data to 8 bytes may cost.
constexpr uint32_t kFragmentOverhead = 40 + 8 + 7;

Attachment attachment(const Field& field) {
  const bool memif = field["kind"].choice({"memif", "vhost-user"}) == 0;
  const Attachment read{memif ? Attachment::Kind::memif : Attachment::Kind::vhost_user,
                        field["socket"].text(), field["peerMac"].mac(), field["mac"].mac()};
  // DPDK's own separators: what follows one would be read as another parameter.
  if (read.socket.empty() || read.socket.size() >= sizeof(sockaddr_un::sun_path) ||
      read.socket.find_first_of(",=") != std::string::npos) {
    field["socket"].wrong("a path of less than 108 bytes, without , and =");
  }
  return read;
}

// Addresses differ in their last 32 bits alone; see population.h.
void check_range(const Field& field, const Address& base, uint64_t count) {
  if (low_word(base) + count - 1 > UINT32_MAX) {
    field.wrong("an address with " + std::to_string(count) + " more behind it in its last 32 bits");
  }
}

Population population(const Field& field) {
  Population read;
  read.family = field["family"].number(4, 6) == 4 ? 4 : 6;
  read.protocol = field["protocol"].choice({"udp", "tcp"}) == 0 ? kProtocolUdp : kProtocolTcp;
  read.flows = field["flows"].whole(1, kMostFlows);
  const Field spread = field["spread"];
  if (spread.is_text()) spread.choice({"even"});
  read.zipf = spread.is_text() ? 0 : spread["zipf"].number(0.01, 10);
  read.clients = field["clients"].address(read.family);
  check_range(field["clients"], read.clients, kClientAddresses);

  const Field services = field["services"];
  read.services = {services["base"].address(read.family), services["count"].whole(1, 1'000'000),
                   static_cast<uint16_t>(services["port"].whole(1, 65'535))};
  check_range(services["base"], read.services.base, read.services.count);

  const Field backends = field["backends"];
  read.backends = {backends["base"].address(read.family), backends["each"].whole(1, 65'534),
                   static_cast<uint16_t>(backends["port"].whole(1, 65'535))};
  check_range(backends["base"], read.backends.base,
              uint64_t{read.services.count} * read.backends.each);
  return read;
}

Run run(const Field& field) {
  Run read;
  read.kind = static_cast<Run::Kind>(
      field["kind"].choice({"throughput", "latency", "setup-udp", "setup-tcp", "fragments"}));
  if (read.kind == Run::Kind::latency) {
    read.packets_per_second = field["packetsPerSecond"].number(1, 1e9);
  } else {
    read.window = field["window"].whole(1, kMostWindow);
  }
  if (read.kind == Run::Kind::throughput) {
    read.both = field["directions"].choice({"both", "queries"}) == 0;
  }
  if (read.kind == Run::Kind::setup_tcp) read.data = field["data"].truth();
  if (read.kind == Run::Kind::setup_udp || read.kind == Run::Kind::setup_tcp) {
    read.first = field.has("first") ? field["first"].whole(0, kDistinctFlows - 1) : 0;
    read.limit = kDistinctFlows - read.first;
    if (field.has("limit")) read.limit = field["limit"].whole(1, read.limit);
  }
  if (read.kind == Run::Kind::fragments) {
    read.bytes = field["bytes"].whole(100, 60'000);
    read.mtu = field["mtu"].whole(576, 1'500);
    if (read.bytes <= read.mtu) field["bytes"].wrong("more than the MTU");
    if (read.bytes / (read.mtu - kFragmentOverhead) >= read.window) {
      field["window"].wrong("as many as a datagram has fragments");
    }
  }
  return read;
}

}  // namespace

Traffic read_options(const std::string& json) {
  const nlohmann::json parsed = nlohmann::json::parse(json, nullptr, false);
  if (parsed.is_discarded()) throw OptionError("standard input: JSON is wanted");
  const Field field(parsed, "");
  Traffic read;
  read.cpu = static_cast<int>(field["cpu"].whole(0, 1'023));
  read.client = attachment(field["client"]);
  read.backend = attachment(field["backend"]);
  read.population = population(field["population"]);
  const Field frame = field["frame"];
  if (frame.is_text()) frame.choice({"imix"});
  read.frame = frame.is_text() ? 0 : frame.whole(64, 1'518);
  read.burst = static_cast<uint16_t>(field["burst"].whole(1, kMostBurst));
  read.ring = static_cast<uint16_t>(field["ring"].whole(64, 16'384));
  if (!std::has_single_bit(read.ring)) field["ring"].wrong("a power of two");
  read.run = run(field["run"]);
  if (read.run.kind != Run::Kind::latency && read.run.window < read.burst) {
    field["run"]["window"].wrong("at least the burst");
  }
  read.warm_up_seconds = field["warmUpSeconds"].number(0, 3'600);
  read.seconds = field["seconds"].number(0.001, 3'600);
  read.proxy = field["peer"].choice({"proxy", "forwarder"}) == 0;

  const bool udp = read.population.protocol == kProtocolUdp;
  if (read.run.kind == Run::Kind::setup_tcp ? udp
                                            : !udp && (read.run.kind == Run::Kind::setup_udp ||
                                                       read.run.kind == Run::Kind::fragments)) {
    field["population"]["protocol"].wrong("the protocol of the run");
  }
  if (!read.proxy && read.run.kind == Run::Kind::setup_tcp) {
    field["peer"].wrong("proxy, which setup-tcp needs,");
  }
  return read;
}

}  // namespace sluice::generator
