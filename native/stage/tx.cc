// SPDX-License-Identifier: Apache-2.0
#include "stage/tx.h"

#include <algorithm>

namespace sluice {
namespace {

// Frames of one interface, in order.
void send_to(uint16_t interface, const Frame* frames, const Fate* fates, uint32_t count,
             Context& context) {
  uint64_t lengths[kMaxBurst];  // frames that are taken are not ours to look at
  for (uint32_t i = 0; i < count; i++) lengths[i] = frames[i].length;

  CounterBlock& counters = context.counters;
  uint32_t handed_over = 0;
  const uint32_t taken = context.outside->send(interface, frames, count, &handed_over);
  const uint32_t sent = taken - handed_over;
  uint64_t bytes = 0;
  for (uint32_t i = 0; i < taken; i++) {
    if (i < sent) bytes += lengths[i];
    if (fates[i] == Fate::pending) continue;
    counters.add(i >= sent                  ? WorkerCounter::handedOut
                 : fates[i] == Fate::answer ? WorkerCounter::answered
                                            : WorkerCounter::forwarded,
                 1);
  }
  if (sent > 0) {
    counters.add(interface, InterfaceCounter::tx_packets, sent);
    counters.add(interface, InterfaceCounter::tx_bytes, bytes);
  }
  if (taken == count) return;
  const DropReason reason = context.outside->refusal(interface);
  for (uint32_t i = taken; i < count; i++) {
    if (fates[i] != Fate::pending) counters.drop(reason);
    context.outside->free(frames[i].handle);
  }
}

}  // namespace

void send_frames(Context& context, const Outgoing* outgoing, uint32_t count) {
  static_assert(kMaxBurst <= 64);
  uint64_t done = 0;
  for (uint32_t i = 0; i < count; i++) {
    if (done >> i & 1) continue;
    const uint16_t interface = outgoing[i].frame.interface;
    Frame frames[kMaxBurst];
    Fate fates[kMaxBurst];
    uint32_t gathered = 0;
    for (uint32_t j = i; j < count; j++) {
      if (outgoing[j].frame.interface != interface) continue;
      frames[gathered] = outgoing[j].frame;
      fates[gathered++] = outgoing[j].fate;
      done |= uint64_t{1} << j;
    }
    send_to(interface, frames, fates, gathered, context);
  }
}

void send_originated(Context& context) {
  Outgoing outgoing[kMaxBurst];
  for (size_t first = 0; first < context.originated.size(); first += kMaxBurst) {
    const size_t count = std::min<size_t>(kMaxBurst, context.originated.size() - first);
    for (size_t i = 0; i < count; i++) {
      outgoing[i] = {context.originated[first + i], Fate::pending};
    }
    send_frames(context, outgoing, static_cast<uint32_t>(count));
  }
  context.originated.clear();
}

void drop_frame(Context& context, void* handle, DropReason reason) {
  context.counters.drop(reason);
  context.outside->free(handle);
}

void run_tx(Burst& burst, Context& context) {
  Outgoing outgoing[kMaxBurst];
  uint32_t count = 0;
  for (uint32_t i = 0; i < burst.count; i++) {
    const Packet& packet = burst.packets[i];
    if (packet.fate == Fate::drop) {
      drop_frame(context, packet.handle, packet.reason);
    } else if (packet.fate != Fate::held) {
      outgoing[count++] = {{packet.handle, packet.data, packet.length, packet.out_interface},
                           packet.fate};
    }
  }
  send_frames(context, outgoing, count);
  send_originated(context);
}

}  // namespace sluice
