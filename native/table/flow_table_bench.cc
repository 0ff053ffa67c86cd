// SPDX-License-Identifier: Apache-2.0
// The flow table alone. Connections are established, and picked at random; `full` is the percentage
// of places in use, of which a table that can take no more has 75.
//   find_hit, find_miss  one after the other, as the path never does it
//   find_burst           a burst of 64, prefetched in two rounds, as the flow stage does it
//   count                a packet of a connection that was found just before
//   sweep                64 pairs a call, none of which goes; clocks are of one pair
//   insert, remove       both directions at once, between half full and full
#include <memory>

#include "base/mix.h"
#include "testing/bench_clocks.h"
#include "testing/flows.h"

namespace sluice {
namespace {

constexpr uint32_t kFullest = 75;  // percent

template <class F>
class Filled {
 public:
  // One that is `full`. Millions of connections take seconds to insert: the last table is kept.
  static Filled& of(uint32_t buckets, uint32_t full) {
    static std::unique_ptr<Filled> last;
    if (!last || last->flows.table.capacity() != 3 * buckets) {
      last.reset();
      last = std::make_unique<Filled>(buckets);
    }
    last->least_ = static_cast<uint32_t>(uint64_t{3} * buckets * full / kFullest);
    last->shrink();
    last->grow(last->least_);
    return *last;
  }
  // All memory is touched once: what is timed meets no page faults.
  explicit Filled(uint32_t buckets) : flows(3 * buckets) { grow(flows.table.capacity()); }

  // To as full as it was asked for.
  void shrink() {
    while (size_ > least_) remove(flows.find(made(size_ - 1).forward));
    flows.next_poll();
  }
  void grow(uint32_t size) {
    while (size_ < size) insert(made(size_));
  }
  bool has_room(uint32_t count) const { return size_ + count <= flows.table.capacity(); }
  bool can_spare(uint32_t count) const { return size_ >= least_ + count; }

  // The connection `ahead` of those that are there. Like `established`, with numbers spread: CRC32C
  // is linear, and would fill buckets too evenly.
  Connection<F> following(uint32_t ahead) const { return made(size_ + ahead); }
  // Entry of the one that came `back` before the last.
  uint32_t last(uint32_t back) const { return flows.find(made(size_ - 1 - back).forward); }
  // Any that is there, or one that is not.
  Connection<F> any(bool there) {
    return made(mix(next_++) % size_ + (there ? 0 : flows.table.capacity()));
  }

  void insert(const Connection<F>& connection) {
    const InsertOutcome outcome = flows.try_insert(connection).outcome;
    right &= outcome != InsertOutcome::taken;
    refused += outcome == InsertOutcome::full;
    size_++;
  }
  void remove(uint32_t index) {
    if (index == kNoFlow) {
      refused--;
    } else {
      right &= flows.table.remove(flows.cache, index);
    }
    size_--;
  }

 private:
  static Connection<F> made(uint32_t number) { return established<F>(mix(number)); }

  uint32_t least_ = 0, size_ = 0, next_ = 0;

 public:
  TestFlows<F> flows;
  uint32_t refused = 0;  // connections that found both buckets full
  bool right = true;
};

// What the finding benchmarks look for, and how much of it they found.
template <class F>
struct Sought {
  void choose(Filled<F>& filled, bool there) {
    for (uint32_t i = 0; i < kBenchBatch; i++) {
      keys[i] = filled.any(there).forward.key.tuple();
      hashes[i] = flow_hash(keys[i]);
    }
    sought += kBenchBatch;
  }
  void find(const Filled<F>& filled, uint32_t i) {
    found += filled.flows.table.find(keys[i], hashes[i]) != kNoFlow;
  }
  bool found_as_many(bool there) const { return there ? found >= sought * 0.999 : found == 0; }

  FiveTuple<F> keys[kBenchBatch];
  uint32_t hashes[kBenchBatch];
  uint64_t sought = 0, found = 0;
};

template <class F>
void find(benchmark::State& state, Filled<F>& filled, bool there) {
  Sought<F> sought;
  time_each(
      state, [&] { sought.choose(filled, there); }, [&](uint32_t i) { sought.find(filled, i); });
  filled.right &= sought.found_as_many(there);
}

template <class F>
void find_burst(benchmark::State& state, Filled<F>& filled) {
  const FlowTable<F>& table = filled.flows.table;
  Sought<F> sought;
  time_whole(
      state, kBenchBatch, [&] { sought.choose(filled, true); },
      [&] {
        for (const uint32_t hash : sought.hashes) table.prefetch_bucket(hash);
        for (const uint32_t hash : sought.hashes) table.prefetch_entry(hash, false);
        for (uint32_t i = 0; i < kBenchBatch; i++) sought.find(filled, i);
      });
  filled.right &= sought.found_as_many(true);
}

template <class F>
void count(benchmark::State& state, Filled<F>& filled) {
  uint32_t indices[kBenchBatch];
  auto prepare = [&] {
    for (uint32_t& index : indices) {
      do {
        index = filled.flows.find(filled.any(true).forward);
      } while (index == kNoFlow);
    }
  };
  time_each(state, prepare,
            [&](uint32_t i) { filled.flows.table.count(indices[i], 0, 46, kTcpAck); });
}

template <class F>
void sweep(benchmark::State& state, Filled<F>& filled) {
  uint32_t removed = 0;
  time_whole(
      state, 64, [] {}, [&] { removed += filled.flows.sweep(0).expired; });
  filled.right &= removed == 0;
}

template <class F>
void insert(benchmark::State& state, Filled<F>& filled) {
  Connection<F> made[kBenchBatch];
  auto prepare = [&] {
    if (!filled.has_room(kBenchBatch)) filled.shrink();
    for (uint32_t i = 0; i < kBenchBatch; i++) made[i] = filled.following(i);
  };
  time_each(state, prepare, [&](uint32_t i) { filled.insert(made[i]); });
}

template <class F>
void remove(benchmark::State& state, Filled<F>& filled) {
  uint32_t indices[kBenchBatch];
  auto prepare = [&] {
    filled.flows.next_poll();
    if (!filled.can_spare(kBenchBatch)) filled.grow(filled.flows.table.capacity());
    for (uint32_t i = 0; i < kBenchBatch; i++) indices[i] = filled.last(i);
  };
  time_each(state, prepare, [&](uint32_t i) { filled.remove(indices[i]); });
}

template <class F, class Run>
void add(const std::string& what, uint32_t buckets, uint32_t full, Run run) {
  const std::string name = "flow_table/" + what + (F::kVersion == 4 ? "/ipv4" : "/ipv6") +
                           "/buckets:" + std::to_string(buckets) + "/full:" + std::to_string(full);
  add_timed(name, [=](benchmark::State& state) {
    auto& filled = Filled<F>::of(buckets, full);
    run(state, filled);
    state.counters["refused"] = filled.refused;
    if (!filled.right) state.SkipWithError("a wrong answer");
  });
}

template <class F>
bool add_of_family() {
  using Run = Filled<F>&;
  for (const uint32_t buckets : {1u << 10, 1u << 15, 1u << 20}) {
    for (const uint32_t full : {50, 75}) {
      add<F>("find_hit", buckets, full, [](auto& state, Run filled) { find(state, filled, true); });
      add<F>("find_miss", buckets, full,
             [](auto& state, Run filled) { find(state, filled, false); });
    }
    add<F>("find_burst", buckets, kFullest, find_burst<F>);
    add<F>("count", buckets, kFullest, count<F>);
    add<F>("sweep", buckets, kFullest, sweep<F>);
    add<F>("insert", buckets, 50, insert<F>);
    add<F>("remove", buckets, 50, remove<F>);
  }
  return true;
}

const bool added = add_of_family<Ipv4>() && add_of_family<Ipv6>();

}  // namespace
}  // namespace sluice
