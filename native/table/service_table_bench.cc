// SPDX-License-Identifier: Apache-2.0
// What a packet that belongs to no flow asks of the services: hits and misses of both questions, at
// random.
#include "base/mix.h"
#include "table/service_table.h"
#include "testing/bench_clocks.h"
#include "testing/bench_names.h"

namespace sluice {
namespace {

template <class F>
ServiceTable<F> make(uint32_t count) {
  ServiceTable<F> table;
  for (uint32_t i = 0; i < count; i++) {
    Frontend<F> frontend{};
    frontend.address = BenchNames<F>::service(i);
    frontend.port = be16::from_host(kBenchPort);
    frontend.protocol = kProtocolUdp;
    frontend.slot = i;
    table.put(frontend);
  }
  return table;
}

// `first`: number of the first service that is asked for; from `count` on none is there.
template <class F, class Ask>
void add(const std::string& name, uint32_t count, bool there, Ask ask) {
  const std::string family = F::kVersion == 4 ? "/ipv4" : "/ipv6";
  add_timed("service_table/" + name + (there ? "_hit" : "_miss") + family +
                "/frontends:" + std::to_string(count),
            [count, there, ask](benchmark::State& state) {
              const ServiceTable<F> table = make<F>(count);
              typename F::Address asked[kBenchBatch];
              uint32_t next = 0;
              auto prepare = [&] {
                for (auto& address : asked) {
                  address = BenchNames<F>::service(mix(next++) % count + (there ? 0 : count));
                }
              };
              bool right = true;
              time_each(state, prepare,
                        [&](uint32_t i) { right &= ask(table, asked[i]) == there; });
              if (!right) state.SkipWithError("a wrong answer");
            });
}

template <class F>
bool finds(const ServiceTable<F>& table, const typename F::Address& address) {
  return table.find(address, be16::from_host(kBenchPort), kProtocolUdp) != nullptr;
}
template <class F>
bool knows(const ServiceTable<F>& table, const typename F::Address& address) {
  return table.has_cluster_address(address);
}

template <class F>
bool add_of_family() {
  for (const uint32_t count : {1, 1'000, 100'000}) {
    for (const bool there : {true, false}) {
      add<F>("find", count, there, finds<F>);
      add<F>("has_cluster_address", count, there, knows<F>);
    }
  }
  return true;
}

const bool added = add_of_family<Ipv4>() && add_of_family<Ipv6>();

}  // namespace
}  // namespace sluice
