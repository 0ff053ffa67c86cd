// SPDX-License-Identifier: Apache-2.0
#include "stage/flow.h"

#include "packet/headers.h"

namespace sluice {
namespace {

bool has_ports(const Packet& packet) {
  return packet.type == PacketClass::tcp || packet.type == PacketClass::udp;
}

bool starts_connection(const Packet& packet) {
  return packet.type == PacketClass::tcp && (packet.tcp_flags & (kTcpSyn | kTcpAck)) == kTcpSyn;
}

bool backend_alive(const FlowEntry& forward, const Snapshot& snapshot) {
  if (forward.backend_slot >= snapshot.backends.size()) return false;
  const BackendRecord& record = snapshot.backends[forward.backend_slot];
  return record.present && record.address == forward.new_address &&
         record.port == forward.new_port && record.pool == forward.pool;
}

// A forward packet that must not follow its pair any more.
bool is_superseded(const Packet& packet, uint32_t index, Context& context) {
  const bool starts = starts_connection(packet);
  if (!backend_alive(context.flows->entry(index), *context.snapshot) &&
      (starts || packet.type == PacketClass::udp)) {
    return true;
  }
  return starts && context.flows->state(index) == FlowState::closed;
}

}  // namespace

bool follow_flow(Packet& packet, Context& context) {
  FlowTable& flows = *context.flows;
  const uint32_t index = flows.find(packet.tuple, packet.hash);
  if (index == kNoFlow) return false;
  if (flows.expired(index, context.now_s)) {
    if (flows.remove(context.flow_cache, index)) {
      context.counters.add(WorkerCounter::flowsExpired, 1);
    }
    return false;
  }
  const bool forward = (index & 1) == 0;
  if (forward && is_superseded(packet, index, context)) {
    flows.remove(context.flow_cache, index);
    return false;
  }
  flows.count(index, context.now_s, packet.l3_length, packet.tcp_flags);
  packet.flow = index;
  return true;
}

void run_flow(Burst& burst, Context& context) {
  const FlowTable& flows = *context.flows;
  auto each = [&](auto&& visit) {
    for (uint32_t i = 0; i < burst.count; i++) {
      Packet& packet = burst.packets[i];
      if (packet.fate == Fate::pending && has_ports(packet)) visit(packet);
    }
  };
  each([&](const Packet& packet) { flows.prefetch_bucket(packet.hash); });
  each([&](const Packet& packet) { flows.prefetch_entry(packet.hash); });
  each([&](Packet& packet) { follow_flow(packet, context); });
}

}  // namespace sluice
