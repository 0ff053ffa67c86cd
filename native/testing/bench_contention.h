// SPDX-License-Identifier: Apache-2.0
// Contention count: how many cache lines of the memory that workers share a packet writes, by what
// is in them. Packets go one by one, so that a line that two of them write counts twice.
#pragma once

#include <array>

#include "testing/bench_traffic.h"
#include "testing/bench_writes.h"

namespace sluice {

enum class SharedKind : uint8_t {
  own_entry,    // of the flow, in the packet's direction
  other_entry,  // of the flow's other direction, or of another flow
  bucket,       // of the flow table
  flow_table,   // its other words, such as counts
  neighbours,
  affinities,
  program,
  count
};
inline constexpr const char* kSharedKindNames[] = {
    "ownEntry", "otherEntry", "bucket", "flowTable", "neighbours", "affinities", "program"};
static_assert(std::size(kSharedKindNames) == static_cast<size_t>(SharedKind::count));

struct SharedWrites {
  uint32_t packets = 0;
  std::array<uint32_t, static_cast<size_t>(SharedKind::count)> lines{};
  uint32_t most = 0;  // lines that one packet has written

  uint32_t of(SharedKind kind) const { return lines[static_cast<size_t>(kind)]; }
};

template <class F>
class Contention {
 public:
  Contention(BenchWorld& world, BenchWorker& worker)
      : flows_(worker.context.flows<F>()),
        worker_(worker),
        pieces_{{SharedKind::bucket, flows_.memory_of_buckets()},
                {SharedKind::other_entry, flows_.memory_of_entries()},
                {SharedKind::flow_table, bytes_of(flows_)},
                {SharedKind::neighbours, world.neighbours.memory()},
                {SharedKind::neighbours, bytes_of(world.neighbours)},
                {SharedKind::affinities, world.affinities.memory()},
                {SharedKind::affinities, bytes_of(world.affinities)},
                {SharedKind::program, bytes_of(*world.snapshot)},
                {SharedKind::program, std::as_bytes(std::span(world.snapshot->backends))},
                {SharedKind::program, std::as_bytes(std::span(world.snapshot->interfaces))},
                {SharedKind::program, std::as_bytes(std::span(world.snapshot->next_hops))}},
        watch_(memory()) {}

  // Of `packets` packets; `fill(i)` puts the i-th one into the worker's burst.
  template <class Fill>
  SharedWrites count(const BenchTraffic<F>& traffic, uint32_t packets, Fill&& fill) {
    SharedWrites writes;
    for (uint32_t i = 0; i < packets; i++) {
      fill(i);
      const std::vector<uintptr_t> lines = watch_.lines_of([&] { worker_.run(); });
      const FiveTuple<F> tuple = traffic.arrived(0);
      const uint32_t flow = flows_.find(tuple, flow_hash(tuple));
      for (const uintptr_t line : lines) {
        writes.lines[static_cast<size_t>(kind_of(line, flow))]++;
      }
      writes.most = std::max(writes.most, static_cast<uint32_t>(lines.size()));
      writes.packets++;
    }
    return writes;
  }

 private:
  struct Piece {
    SharedKind kind;
    std::span<const std::byte> memory;

    bool holds(uintptr_t line) const {  // in part, at least
      const auto begin = reinterpret_cast<uintptr_t>(memory.data());
      return line + kCacheLine > begin && line < begin + memory.size();
    }
  };

  template <typename T>
  static std::span<const std::byte> bytes_of(const T& object) {
    return std::as_bytes(std::span(&object, 1));
  }
  std::vector<std::span<const std::byte>> memory() const {
    std::vector<std::span<const std::byte>> all;
    for (const Piece& piece : pieces_) all.push_back(piece.memory);
    return all;
  }
  SharedKind kind_of(uintptr_t line, uint32_t flow) const {
    if (flow != kNoFlow && Piece{{}, bytes_of(flows_.entry(flow))}.holds(line)) {
      return SharedKind::own_entry;
    }
    return std::find_if(pieces_.begin(), pieces_.end(),
                        [&](const Piece& piece) { return piece.holds(line); })
        ->kind;
  }

  const FlowTable<F>& flows_;
  BenchWorker& worker_;
  const std::vector<Piece> pieces_;
  WriteWatch watch_;
};

}  // namespace sluice
