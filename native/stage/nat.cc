// SPDX-License-Identifier: Apache-2.0
#include "stage/nat.h"

#include "base/checksum.h"
#include "packet/headers.h"
#include "stage/flow.h"
#include "table/maglev.h"

namespace sluice {
namespace {

// An entry that turns (address, port) `before` into `after`.
FlowEntry translation(const FiveTuple& key, be32 before, be16 port_before, be32 after,
                      be16 port_after) {
  FlowEntry entry{};
  entry.key = key;
  entry.new_address = after;
  entry.new_port = port_after;
  const uint64_t delta = checksum_delta(before, after);
  entry.ip_delta = fold(delta);
  entry.l4_delta = fold(delta + checksum_delta(port_before, port_after));
  return entry;
}

// True: the reply's five-tuple belongs to another connection.
bool reply_is_taken(const FiveTuple& reply, Context& context) {
  FlowTable& flows = *context.flows;
  const uint32_t index = flows.find(reply, flow_hash(reply));
  if (index == kNoFlow) return false;
  if (!flows.expired(index, context.now_s)) return true;
  if (flows.remove(context.flow_cache, index)) {
    context.counters.add(WorkerCounter::flowsExpired, 1);
  }
  return false;
}

void make_flow(Packet& packet, Context& context) {
  if (follow_flow(packet, context)) return;
  if (packet.tcp_flags & (kTcpRst | kTcpFin)) return packet.drop(DropReason::tcp_no_flow);
  const Pool& pool = *context.snapshot->pools[packet.pool];
  if (pool.maglev.empty()) return packet.drop(DropReason::no_backend);
  const BackendRow& backend =
      pool.backends[pool.maglev[maglev_slot(packet.hash, pool.maglev.size())]];

  const FiveTuple& tuple = packet.tuple;
  if (backend.address == tuple.source) return packet.drop(DropReason::hairpin);
  const FiveTuple reply_tuple{backend.address,   tuple.source,   backend.port,
                              tuple.source_port, tuple.protocol, {}};
  if (reply_is_taken(reply_tuple, context)) return packet.drop(DropReason::flow_collision);

  FlowEntry forward =
      translation(tuple, tuple.destination, tuple.destination_port, backend.address, backend.port);
  FlowEntry reply = translation(reply_tuple, backend.address, backend.port, tuple.destination,
                                tuple.destination_port);
  forward.backend_slot = reply.backend_slot = backend.slot;
  forward.pool = reply.pool = packet.pool;
  forward.last_seen = context.now_s;
  forward.packets = 1;
  forward.bytes = packet.l3_length;
  forward.tcp_flags = packet.tcp_flags;
  packet.flow = context.flows->insert(context.flow_cache, forward, reply);
  if (packet.flow == kNoFlow) {
    // Full, unless another worker has just made this very flow, or one that collides.
    if (follow_flow(packet, context)) return;
    return packet.drop(reply_is_taken(reply_tuple, context) ? DropReason::flow_collision
                                                            : DropReason::flow_table_full);
  }
  context.counters.add(WorkerCounter::flowsCreated, 1);
  context.counters.add_connection(backend.slot);
}

}  // namespace

void run_nat(Burst& burst, Context& context) {
  for (uint32_t i = 0; i < burst.count; i++) {
    Packet& packet = burst.packets[i];
    if (packet.fate == Fate::pending && packet.pool != kNoPool) make_flow(packet, context);
  }
}

}  // namespace sluice
