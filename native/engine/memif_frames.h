// SPDX-License-Identifier: Apache-2.0
// Frames between the rings of a memif connection and mbufs. Slots and buffers lie in the other
// side's cache: each burst first asks for all the lines that it will read or write, and then uses
// them.
#pragma once

#include <cstdint>

#include "memif/link.h"

struct rte_mbuf;
struct rte_mempool;

namespace sluice {

// Returns the number of frames received. One that lies in no memory of the link or does not fit
// into an mbuf is received with a length of zero, which no frame has.
uint16_t receive_frames(const memif::Link& link, memif::ReceiveRing& ring, rte_mempool* pool,
                        rte_mbuf** mbufs, uint16_t count);

// Returns the number of frames sent, whose mbufs are free again.
uint16_t send_frames(const memif::Link& link, memif::TransmitRing& ring, rte_mbuf** mbufs,
                     uint16_t count);

}  // namespace sluice
