// SPDX-License-Identifier: Apache-2.0
// A ring of packet buffers between two threads, freed together with what is still in it.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

struct rte_ring;

namespace sluice {

struct MbufRingDeleter {
  void operator()(rte_ring* ring) const;
};

using MbufRing = std::unique_ptr<rte_ring, MbufRingDeleter>;

enum class Producers { one, many };

// Room for exactly `frames`, with one consumer. The name is unique in the process. Null: no memory.
MbufRing make_mbuf_ring(const std::string& name, uint32_t frames, Producers producers);

}  // namespace sluice
