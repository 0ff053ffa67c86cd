// SPDX-License-Identifier: Apache-2.0
// Theory of operation. A tunnel (GRE, RFC 2784 and 2890; IP in IP; VXLAN, RFC 7348) is an interface
// whose packets come and go within other interfaces' packets. Here is what each one is, and which
// one a packet is for: among those of its kind and destination one that has its source as the
// remote end comes before one that has no remote end; of equals the exact key before any key, then
// the lowest slot (docs/packet-path.md, "decap"). Immutable.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <unordered_map>
#include <vector>

#include "base/crc32c.h"
#include "base/family.h"

namespace sluice {

enum class TunnelKind : uint8_t { gre, ipip, vxlan };
enum class TunnelKey : uint8_t { none, fixed, flow };  // flow: sent by flow, and any one taken

struct Tunnel {
  uint16_t slot = 0;
  TunnelKind kind = TunnelKind::gre;
  TunnelKey key_mode = TunnelKey::none;
  uint32_t key = 0;   // of gre, where it is fixed
  uint32_t vni = 0;   // of vxlan
  uint16_t port = 0;  // of vxlan: UDP
  uint8_t ttl = 64;
  uint16_t mtu = 0;
  Address local{};
  Address remote{};                   // zero: it receives only
  std::vector<Prefix<Ipv6>> peers{};  // who may send where there is no remote; none: everybody.
                                      // General addresses, and lengths in bits of those

  bool has_remote() const { return !remote.is_zero(); }
  // Carries packets without an Ethernet header.
  bool is_layer3() const { return kind != TunnelKind::vxlan; }
  bool admits(const Address& source) const;
};

// What a carrying packet says about its tunnel, besides the ends.
struct TunnelLabel {
  bool has_key = false;  // of gre
  uint32_t key = 0;      // or the VNI
};

// Tunnels of one kind and local end: those to one remote, and those without one. In slot order.
struct TunnelEnds {
  std::span<const Tunnel*const> remote, open;

  // Whether a packet from `source` may be for one of them. `port`: UDP, of vxlan.
  bool expect(const Address& source, uint16_t port) const;
  // Null: none of them.
  const Tunnel* find(const Address& source, uint16_t port, const TunnelLabel& label) const;
};

class TunnelTable {
 public:
  // In slot order; at least one.
  explicit TunnelTable(std::vector<std::shared_ptr<const Tunnel>> tunnels);

  TunnelEnds ends(TunnelKind kind, const Address& local, const Address& remote) const;
  // Whether UDP packets to `port` may be for one of them.
  bool has_port(uint16_t port) const {
    for (const uint16_t each : ports_) {
      if (each == port) return true;
    }
    return false;
  }
  uint16_t smallest_mtu() const { return smallest_mtu_; }

 private:
  struct Key {
    TunnelKind kind;
    Address local, remote;  // remote zero: none
    bool operator==(const Key&) const = default;
  };
  struct HashOfKey {
    size_t operator()(const Key& key) const {
      static_assert(sizeof(Key) == 33);
      return crc32c(&key, sizeof(key));
    }
  };
  std::span<const Tunnel* const> group(const Key& key) const;

  std::vector<std::shared_ptr<const Tunnel>> tunnels_;
  std::unordered_map<Key, std::vector<const Tunnel*>, HashOfKey> groups_;
  std::vector<uint16_t> ports_;
  uint16_t smallest_mtu_ = UINT16_MAX;
};

}  // namespace sluice
