// SPDX-License-Identifier: Apache-2.0
#include "stage/mss.h"

#include <algorithm>

#include "packet/checksum_changes.h"
#include "packet/ip.h"

namespace sluice {
namespace {

constexpr uint8_t kEnd = 0, kNothing = 1, kMss = 2;
constexpr uint32_t kMssLength = 4;

// Offset of the option's value from the start of the header; 0: there is none.
uint32_t find_mss(const uint8_t* tcp) {
  const uint32_t end = (header_at<TcpHeader>(tcp, 0)->data_offset >> 4) * 4u;
  for (uint32_t at = sizeof(TcpHeader); at < end;) {
    if (tcp[at] == kEnd) return 0;
    if (tcp[at] == kNothing) {
      at++;
      continue;
    }
    if (end - at < 2 || tcp[at + 1] < 2 || tcp[at + 1] > end - at) return 0;
    if (tcp[at] == kMss) return tcp[at + 1] == kMssLength ? at + 2 : 0;
    at += tcp[at + 1];
  }
  return 0;
}

const Tunnel* tunnel_at(uint16_t slot, const Snapshot& snapshot) {
  return slot < snapshot.interfaces.size() ? snapshot.interfaces[slot].tunnel.get() : nullptr;
}

// Of the tunnels that the connection's packets go through; UINT16_MAX: none.
template <class F>
uint16_t smallest_mtu(const Packet& packet, const Context& context) {
  const Snapshot& snapshot = *context.snapshot;
  uint16_t mtu = UINT16_MAX;
  for (const uint16_t slot : {packet.in_interface, packet.out_interface}) {
    const Tunnel* tunnel = tunnel_at(slot, snapshot);
    if (tunnel != nullptr) mtu = std::min(mtu, tunnel->mtu);
  }
  const bool marked =
      packet.flow != kNoFlow && (context.flows<F>().entry(packet.flow).marks & kCameByTunnel) != 0;
  return marked ? std::min(mtu, snapshot.tunnels->smallest_mtu()) : mtu;
}

}  // namespace

void clamp_mss(uint8_t* tcp, uint16_t most) {
  const uint32_t at = find_mss(tcp);
  if (at == 0 || header_at<be16>(tcp, at)->host() <= most) return;
  // The words that the checksum sums: one, or two that the value has half of each.
  const uint32_t first = at & ~1u;
  const size_t words = at == first ? 1 : 2;
  uint8_t before[4];
  std::memcpy(before, tcp + first, 2 * words);
  *header_at<be16>(tcp, at) = be16::from_host(most);
  auto& checksum = header_at<TcpHeader>(tcp, 0)->checksum;
  checksum = update_checksum(checksum, change(before, tcp + first, words));
}

template <class F>
void run_mss(Burst& burst, Context& context) {
  constexpr uint16_t kHeaders = sizeof(typename Wire<F>::Header) + sizeof(TcpHeader);
  for (uint32_t i = 0; i < burst.count; i++) {
    Packet& packet = burst.packets[i];
    if (!is_pending<F>(packet) || packet.type != PacketClass::tcp ||
        (packet.tcp_flags & kTcpSyn) == 0) {
      continue;
    }
    const uint16_t mtu = smallest_mtu<F>(packet, context);
    if (mtu == UINT16_MAX) continue;
    clamp_mss(packet.data + packet.l4_offset, static_cast<uint16_t>(mtu - kHeaders));
  }
}

template void run_mss<Ipv4>(Burst&, Context&);
template void run_mss<Ipv6>(Burst&, Context&);

}  // namespace sluice
