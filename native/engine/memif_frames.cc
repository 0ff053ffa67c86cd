// SPDX-License-Identifier: Apache-2.0
#include "engine/memif_frames.h"

#include <rte_mbuf.h>
#include <rte_memcpy.h>

#include <algorithm>

#include "base/prefetch.h"
#include "packet/burst.h"

namespace sluice {
namespace {

using memif::Descriptor;
using memif::kMoreSlots;
using memif::Link;
using memif::ReceiveRing;
using memif::TransmitRing;

// A frame in the ring: its slots and its length.
struct Extent {
  uint32_t slots;  // 0: not yet whole
  uint32_t length;
};

Extent extent(const ReceiveRing& ring, uint32_t first, uint32_t end) {
  Extent frame{0, 0};
  for (uint32_t n = first; n < end; ++n) {
    const Descriptor slot = ring.slot(n);
    // A length that does not fit is as good as any other that does not fit.
    frame.length = std::min(frame.length + std::min(slot.length, 1u << 20), 1u << 20);
    if ((slot.flags & kMoreSlots) == 0) return {n + 1 - first, frame.length};
  }
  return {0, 0};
}

void set_length(rte_mbuf* mbuf, uint32_t length) {
  mbuf->data_len = static_cast<uint16_t>(length);
  mbuf->pkt_len = length;
}

// Of several slots, which may have changed since they were measured.
uint32_t gather(const Link& link, const ReceiveRing& ring, uint32_t first, Extent frame,
                rte_mbuf* mbuf) {
  const uint32_t room = rte_pktmbuf_tailroom(mbuf);
  auto* const to = rte_pktmbuf_mtod(mbuf, uint8_t*);
  uint32_t length = 0;
  for (uint32_t n = first; n < first + frame.slots; ++n) {
    const Descriptor slot = ring.slot(n);
    const uint8_t* const from = link.bytes(slot, slot.length);
    if (!from || slot.length > room - length) return 0;
    rte_memcpy(to + length, from, slot.length);
    length += slot.length;
  }
  return length;
}

// Over as many slots from `first` on as the frame needs: returns their number, 0 if there are not
// so many before `end`.
uint32_t scatter(const Link& link, TransmitRing& ring, uint32_t first, uint32_t end,
                 const rte_mbuf* mbuf) {
  const auto* from = rte_pktmbuf_mtod(mbuf, const uint8_t*);
  uint32_t left = mbuf->pkt_len;
  for (uint32_t n = first; n < end; ++n) {
    const Descriptor slot = ring.slot(n);
    const uint32_t part = std::min(left, ring.room(slot));
    uint8_t* const to = link.bytes(slot, part);
    if (!to || part == 0) return 0;
    rte_memcpy(to, from, part);
    from += part;
    left -= part;
    ring.fill(n, part, left != 0 ? kMoreSlots : uint16_t{0});
    if (left == 0) return n + 1 - first;
  }
  return 0;
}

}  // namespace

uint16_t receive_frames(const Link& link, ReceiveRing& ring, rte_mempool* pool, rte_mbuf** mbufs,
                        uint16_t count) {
  struct Whole {
    const uint8_t* bytes;
    uint32_t length;
    uint32_t first;
    Extent extent;  // of several slots
  };
  Whole frames[kMaxBurst];
  const uint32_t full = ring.full();
  if (full == 0) return 0;
  count = std::min<uint16_t>(count, kMaxBurst);
  ring.prefetch(std::min<uint32_t>(count, full));
  uint32_t slots = 0;
  uint16_t received = 0;
  for (; received < count && slots < full; ++received) {
    const Descriptor slot = ring.slot(slots);
    Whole& frame = frames[received];
    frame = {link.bytes(slot, slot.length), slot.length, slots, {1, slot.length}};
    if ((slot.flags & kMoreSlots) != 0) [[unlikely]] {
      frame.extent = extent(ring, slots, full);
      if (frame.extent.slots == 0) break;
    }
    if (frame.bytes) __builtin_prefetch(frame.bytes);
    slots += frame.extent.slots;
  }
  if (received == 0 || rte_pktmbuf_alloc_bulk(pool, mbufs, received) != 0) return 0;
  for (uint32_t i = 0; i < received; ++i) {
    const Whole& frame = frames[i];
    rte_mbuf* const mbuf = mbufs[i];
    if (frame.extent.slots > 1) [[unlikely]] {
      set_length(mbuf, gather(link, ring, frame.first, frame.extent, mbuf));
    } else if (frame.bytes && frame.length <= rte_pktmbuf_tailroom(mbuf)) [[likely]] {
      rte_memcpy(rte_pktmbuf_mtod(mbuf, uint8_t*), frame.bytes, frame.length);
      set_length(mbuf, frame.length);
    } else {
      set_length(mbuf, 0);
    }
  }
  ring.give_back(static_cast<uint16_t>(slots));
  return received;
}

uint16_t send_frames(const Link& link, TransmitRing& ring, rte_mbuf** mbufs, uint16_t count) {
  uint8_t* buffers[kMaxBurst];
  count = std::min<uint16_t>(count, kMaxBurst);
  const uint32_t empty = ring.empty();
  const uint32_t ahead = std::min<uint32_t>(count, empty);
  ring.prefetch(ahead);
  for (uint32_t n = 0; n < ahead; ++n) {
    const Descriptor slot = ring.slot(n);
    const uint32_t length = mbufs[n]->pkt_len;
    buffers[n] = ring.room(slot) >= length ? link.bytes(slot, length) : nullptr;
    if (buffers[n]) prefetch_to_write(buffers[n]);
  }
  uint16_t sent = 0;
  for (; sent < ahead && buffers[sent]; ++sent) {
    const rte_mbuf* const mbuf = mbufs[sent];
    rte_memcpy(buffers[sent], rte_pktmbuf_mtod(mbuf, const uint8_t*), mbuf->pkt_len);
    ring.fill(sent, mbuf->pkt_len, 0);
  }
  uint32_t slots = sent;
  for (; sent < count && slots < empty; ++sent) {
    const uint32_t taken = scatter(link, ring, slots, empty, mbufs[sent]);
    if (taken == 0) break;
    slots += taken;
  }
  if (sent == 0) return 0;
  ring.pass_on(static_cast<uint16_t>(slots));
  rte_pktmbuf_free_bulk(mbufs, sent);
  return sent;
}

}  // namespace sluice
