// SPDX-License-Identifier: Apache-2.0
#include "stage/tx.h"

#include <algorithm>

#include "stage/encap.h"

namespace sluice {
namespace {

// What the interface has taken over, and what became of it.
struct Taken {
  uint64_t bytes = 0;
  uint32_t forwarded = 0, answered = 0, host = 0, handed_out = 0;
};

Taken sum_up(const Frame* frames, uint32_t sent, uint32_t taken) {
  Taken sum;
  for (uint32_t i = 0; i < sent; i++) {
    sum.bytes += frames[i].length;
    sum.forwarded += frames[i].fate == Fate::forward;
    sum.answered += frames[i].fate == Fate::answer;
    sum.host += frames[i].fate == Fate::host;
  }
  for (uint32_t i = sent; i < taken; i++) sum.handed_out += frames[i].fate != Fate::pending;
  return sum;
}

// Frames of one interface, in order.
void send_to(uint16_t interface, const Frame* frames, uint32_t count, Context& context) {
  CounterBlock& counters = context.counters;
  uint32_t handed_over = 0;
  const uint32_t taken = context.outside->send(interface, frames, count, &handed_over);
  const uint32_t sent = taken - handed_over;
  const Taken sum = sum_up(frames, sent, taken);
  counters.add(WorkerCounter::forwarded, sum.forwarded);
  counters.add(WorkerCounter::answered, sum.answered);
  counters.add(WorkerCounter::host, sum.host);
  counters.add(WorkerCounter::handedOut, sum.handed_out);
  if (sent > 0) {
    counters.add(interface, InterfaceCounter::tx_packets, sent);
    counters.add(interface, InterfaceCounter::tx_bytes, sum.bytes);
  }
  if (taken == count) return;
  const DropReason reason = context.outside->refusal(interface);
  for (uint32_t i = taken; i < count; i++) drop_frame(context, frames[i], reason);
}

}  // namespace

void send_frames(Context& context, Frame* frames, uint32_t count) {
  if (context.snapshot->tunnels != nullptr) count = encapsulate(frames, count, context);
  if (count == 0) return;
  const uint16_t first = frames[0].interface;
  // The frames of a burst have one way more often than not.
  if (std::all_of(frames, frames + count, [&](const Frame& f) { return f.interface == first; })) {
    return send_to(first, frames, count, context);
  }
  static_assert(kMaxBurst <= 64);
  uint64_t done = 0;
  for (uint32_t i = 0; i < count; i++) {
    if (done >> i & 1) continue;
    Frame gathered[kMaxBurst];
    uint32_t number = 0;
    for (uint32_t j = i; j < count; j++) {
      if (frames[j].interface != frames[i].interface) continue;
      gathered[number++] = frames[j];
      done |= uint64_t{1} << j;
    }
    send_to(frames[i].interface, gathered, number, context);
  }
}

void send_originated(Context& context) {
  // What goes into a tunnel may make us ask for the way to its other end: there are more of them
  // then.
  const auto& originated = context.originated;
  for (size_t first = 0, count; first < originated.size(); first += count) {
    Frame batch[kMaxBurst];
    count = std::min<size_t>(kMaxBurst, originated.size() - first);
    std::copy_n(&originated[first], count, batch);
    send_frames(context, batch, static_cast<uint32_t>(count));
  }
  context.originated.clear();
}

void drop_frame(Context& context, void* handle, DropReason reason) {
  context.counters.drop(reason);
  context.outside->free(handle);
}

void drop_frame(Context& context, const Frame& frame, DropReason reason) {
  if (frame.fate != Fate::pending) context.counters.drop(reason);
  context.outside->free(frame.handle);
}

void run_tx(Burst& burst, Context& context) {
  Frame frames[kMaxBurst];
  uint32_t count = 0;
  for (uint32_t i = 0; i < burst.count; i++) {
    const Packet& packet = burst.packets[i];
    if (packet.fate == Fate::drop) {
      drop_frame(context, packet.handle, packet.reason);
    } else if (packet.fate != Fate::held) {
      frames[count++] = {packet.handle,        packet.data, packet.length,
                         packet.out_interface, packet.fate, packet.hash};
    }
  }
  send_frames(context, frames, count);
  send_originated(context);
}

}  // namespace sluice
