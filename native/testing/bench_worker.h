// SPDX-License-Identifier: Apache-2.0
// A worker of a benchmark: a context over a world's tables, buffers as a memory pool has them, and
// an outside that only counts.
#pragma once

#include <x86intrin.h>

#include "base/zeroed_memory.h"
#include "packet/headers.h"
#include "stage/context.h"
#include "stage/pipeline.h"
#include "testing/bench_world.h"

namespace sluice {

inline constexpr uint64_t kBenchNowMs = 1'000'000;

class BenchOutside : public Outside {
 public:
  Frame allocate() override { return {}; }
  void free(void*) override { freed++; }
  bool make_room(Frame&, uint32_t) override { return true; }
  uint32_t send(uint16_t, const Frame*, uint32_t count, uint32_t* handed_over) override {
    *handed_over = 0;
    sent += count;
    return count;
  }
  DropReason refusal(uint16_t) override { return DropReason::tx_full; }

  uint64_t sent = 0, freed = 0;
};

class BenchWorker {
 public:
  explicit BenchWorker(BenchWorld& world, uint32_t index = 0);
  BenchWorker(const BenchWorker&) = delete;
  BenchWorker& operator=(const BenchWorker&) = delete;

  // Puts `count` frames that have come in by `interface` into the burst: `write(i, buffer)` writes
  // the i-th one and returns its length.
  template <class Write>
  void fill(uint16_t interface, uint32_t count, Write&& write) {
    burst_.count = count;
    for (uint32_t i = 0; i < count; i++) {
      uint8_t* const data = next_buffer();
      frames_[i] = data;
      Packet& packet = burst_.packets[i];
      packet.data = data;
      packet.length = write(i, data);
      packet.in_interface = interface;
      packet.handle = data;
    }
    given_ += count;
  }
  // Puts `bytes` in place of the Ethernet headers of the burst's frames: what carries them.
  void wrap(const uint8_t* bytes, uint32_t count) {
    for (uint32_t i = 0; i < burst_.count; i++) {
      Packet& packet = burst_.packets[i];
      const uint32_t more = count - kEthernetBytes;
      packet.data -= more;
      packet.length += more;
      std::memcpy(packet.data, bytes, count);
    }
  }
  void run() { run_burst(burst_, context); }
  // The same, in TSC clocks. Not inlined, so that a profiler can be told to collect here alone:
  // `valgrind --tool=callgrind --toggle-collect='sluice::BenchWorker::run_timed()'`.
  [[gnu::noinline]] uint64_t run_timed() {
    const uint64_t begin = __rdtsc();
    run();
    return __rdtsc() - begin;
  }
  // The i-th frame of the last burst, as it left: its buffer is used again only some bursts later.
  uint8_t* frame(uint32_t i) const { return frames_[i]; }
  // Between two polls: what the first has freed may be used in the second.
  void next_poll();
  void advance(uint32_t seconds);

  // Whether all that was given to it was forwarded, up to now.
  bool has_forwarded_all() const;
  uint64_t counter(WorkerCounter which) const {
    return static_cast<const uint64_t*>(counters_.data())[static_cast<uint32_t>(which)];
  }

  Context context;

 private:
  uint8_t* next_buffer();

  const ZeroedMemory counters_, buffers_;
  uint32_t next_ = 0;  // buffer
  uint64_t given_ = 0;
  BenchOutside outside_;
  uint8_t* frames_[kMaxBurst];
  Burst burst_;
};

}  // namespace sluice
