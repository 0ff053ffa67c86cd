// SPDX-License-Identifier: Apache-2.0
#include "engine/mbuf_ring.h"

#include <rte_mbuf.h>
#include <rte_ring.h>

namespace sluice {

void MbufRingDeleter::operator()(rte_ring* ring) const {
  void* mbuf = nullptr;
  while (rte_ring_dequeue(ring, &mbuf) == 0) rte_pktmbuf_free(static_cast<rte_mbuf*>(mbuf));
  rte_ring_free(ring);
}

MbufRing make_mbuf_ring(const std::string& name, uint32_t frames, Producers producers) {
  const unsigned mode = producers == Producers::one ? RING_F_SP_ENQ : 0;
  return MbufRing(
      rte_ring_create(name.c_str(), frames, SOCKET_ID_ANY, mode | RING_F_SC_DEQ | RING_F_EXACT_SZ));
}

}  // namespace sluice
