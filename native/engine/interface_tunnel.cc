// SPDX-License-Identifier: Apache-2.0
#include "engine/interface_tunnel.h"

#include <arpa/inet.h>

#include <charconv>
#include <sstream>

namespace sluice {
namespace {

constexpr uint8_t kMappedBits = 96;

Error wrong(const char* key, const std::string& found) {
  return {"ERR_INTERFACE", "\"" + found + "\" is not what a tunnel's " + key + " may be", key};
}

std::optional<Address> read_address(const std::string& text) {
  in_addr v4;
  if (inet_pton(AF_INET, text.c_str(), &v4) == 1) return Ipv4::general(be32{v4.s_addr});
  Address v6;
  if (inet_pton(AF_INET6, text.c_str(), v6.bytes) == 1) return v6;
  return {};
}

std::optional<uint32_t> read_number(const std::string& text, uint32_t least, uint32_t most) {
  uint32_t number = 0;
  const char* const end = text.data() + text.size();
  const auto [at, error] = std::from_chars(text.data(), end, number);
  if (error != std::errc{} || at != end || number < least || number > most) return {};
  return number;
}

// A general address, and a length in bits of it.
std::optional<Prefix<Ipv6>> read_prefix(const std::string& text) {
  const size_t slash = text.find('/');
  if (slash == std::string::npos) return {};
  const auto address = read_address(text.substr(0, slash));
  if (!address) return {};
  const bool v4 = address->is_ipv4();
  const auto length = read_number(text.substr(slash + 1), 0, v4 ? Ipv4::kBits : Ipv6::kBits);
  if (!length) return {};
  return Prefix<Ipv6>{*address, static_cast<uint8_t>(*length + (v4 ? kMappedBits : 0))};
}

// Reads the parameters one after the other; the first that is wrong is the error.
class TunnelReader {
 public:
  explicit TunnelReader(const InterfaceRequest& request) : request_(request) {}

  Status read(Tunnel& tunnel) {
    tunnel.slot = request_.slot;
    tunnel.mtu = request_.mtu;
    tunnel.kind = request_.kind == "gre"    ? TunnelKind::gre
                  : request_.kind == "ipip" ? TunnelKind::ipip
                                            : TunnelKind::vxlan;
    read_ends(tunnel);
    read_key(tunnel);
    if (tunnel.kind == TunnelKind::vxlan) {
      tunnel.vni = number("vni", "", 0, 0xffffff);
      tunnel.port = static_cast<uint16_t>(number("port", "4789", 1, UINT16_MAX));
    }
    tunnel.ttl = static_cast<uint8_t>(number("ttl", "64", 1, UINT8_MAX));
    return error_;
  }

 private:
  void blame(const char* key) {
    if (!error_) error_ = wrong(key, request_.parameter(key));
  }
  uint32_t number(const char* key, const char* otherwise, uint32_t least, uint32_t most) {
    const auto found = read_number(request_.parameter(key, otherwise), least, most);
    if (!found) blame(key);
    return found.value_or(0);
  }
  void read_ends(Tunnel& tunnel) {
    const auto local = read_address(request_.parameter("local"));
    if (!local || local->is_zero()) return blame("local");
    tunnel.local = *local;
    if (request_.parameters.contains("remote")) {
      const auto remote = read_address(request_.parameter("remote"));
      const bool usable = remote && !remote->is_zero() && remote->is_ipv4() == local->is_ipv4();
      if (!usable) return blame("remote");
      tunnel.remote = *remote;
    }
    std::istringstream peers(request_.parameter("peers"));
    for (std::string text; peers >> text;) {
      const auto prefix = read_prefix(text);
      if (!prefix || tunnel.has_remote() || prefix->address.is_ipv4() != local->is_ipv4()) {
        return blame("peers");
      }
      tunnel.peers.push_back(*prefix);
    }
  }
  void read_key(Tunnel& tunnel) {
    const std::string key = request_.parameter("key");
    if (tunnel.kind != TunnelKind::gre || key.empty()) return;
    tunnel.key_mode = key == "flow" ? TunnelKey::flow : TunnelKey::fixed;
    if (key != "flow") tunnel.key = number("key", "", 0, UINT32_MAX);
  }

  const InterfaceRequest& request_;
  Status error_;
};

}  // namespace

bool is_tunnel(const InterfaceRequest& request) {
  return request.kind == "gre" || request.kind == "ipip" || request.kind == "vxlan";
}

Result<std::shared_ptr<const Tunnel>> read_tunnel(const InterfaceRequest& request) {
  auto tunnel = std::make_shared<Tunnel>();
  if (Status error = TunnelReader(request).read(*tunnel)) return *error;
  return std::shared_ptr<const Tunnel>(std::move(tunnel));
}

TunnelInterface::TunnelInterface(const InterfaceRequest& request,
                                 std::shared_ptr<const Tunnel> tunnel_)
    : Interface(request) {
  tunnel = std::move(tunnel_);
}

Result<std::unique_ptr<Interface>> TunnelInterface::make(InterfaceRequest request) {
  auto read = read_tunnel(request);
  if (!read.ok()) return read.error();
  request.queues = 0;
  request.software_rss = false;
  return std::unique_ptr<Interface>(new TunnelInterface(request, std::move(read.value())));
}

}  // namespace sluice
