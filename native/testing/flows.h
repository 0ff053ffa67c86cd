// SPDX-License-Identifier: Apache-2.0
// Connections by number, and a flow table of one worker, for tests.
#pragma once

#include "packet/headers.h"
#include "table/flow_table.h"

namespace sluice {

template <class F>
struct Connection {
  FlowEntry<F> forward, reply;
};

// 10.0.0.0/8 and what it would be in fd00::/96.
template <class F>
typename F::Address test_address(uint32_t number) {
  Address address = Ipv4::general(be32::from_host(0x0a000000 | number));
  if constexpr (F::kVersion == 6) {
    address = {{0xfd}};
    const be32 word = be32::from_host(number);
    std::memcpy(address.bytes + 12, &word, sizeof(word));
  }
  return F::from(address);
}

// The number-th connection, of which the client has sent its first packet at `now_s`.
template <class F>
Connection<F> connection(uint32_t number, uint8_t protocol = kProtocolTcp, uint32_t now_s = 0) {
  const be16 port = be16::from_host(static_cast<uint16_t>(number));
  const auto client = test_address<F>(number >> 16), service = test_address<F>(0x600001),
             backend = test_address<F>(0xf40001);
  Connection<F> made{};
  FlowEntry<F>& forward = made.forward;
  forward.key = {client, service, port, be16::from_host(80), protocol};
  forward.source = client;
  forward.destination = backend;
  forward.last_seen = now_s;
  forward.packets = 1;
  forward.tcp_flags = protocol == kProtocolTcp ? kTcpSyn : 0;
  forward.backend_serial = 7;
  made.reply.key = {backend, client, be16::from_host(8080), port, protocol};
  made.reply.source = service;
  made.reply.destination = client;
  made.reply.backend_serial = 7;
  return made;
}

// The same, after an exchange of packets.
template <class F>
Connection<F> established(uint32_t number, uint8_t protocol = kProtocolTcp, uint32_t now_s = 0) {
  Connection<F> made = connection<F>(number, protocol, now_s);
  if (protocol == kProtocolTcp) {
    made.forward.tcp_flags = made.reply.tcp_flags = kTcpSyn | kTcpAck;
  }
  made.reply.packets = 1;
  made.reply.last_seen = now_s;
  return made;
}

template <class F>
struct TestFlows {
  explicit TestFlows(uint32_t capacity) : table(capacity, 1, {}) { table.attach(cache); }

  Inserted try_insert(const Connection<F>& made, uint32_t now_s = 0) {
    return table.insert(cache, 0, now_s, made.forward, made.reply, removals);
  }
  uint32_t insert(const Connection<F>& made, uint32_t now_s = 0) {
    return try_insert(made, now_s).index;
  }
  uint32_t find(const FlowEntry<F>& of) const {
    return table.find(of.key.tuple(), flow_hash(of.key.tuple()));
  }
  Removals sweep(uint32_t now_s) {
    return table.sweep(cache, 0, 64, now_s, [](const FlowEntry<F>&) { return false; });
  }
  void next_poll() {
    if (cache.seal(0)) cache.release();
  }

  FlowTable<F> table;
  FlowCache cache;
  Removals removals;
};

}  // namespace sluice
