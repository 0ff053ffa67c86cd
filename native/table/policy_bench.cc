// SPDX-License-Identifier: Apache-2.0
// A rule set beside DPDK's rte_acl: what a question costs, and what it costs to make the tables and
// to know one pod more. 1,000 pods, each in eight selectors; rules of one selector each, and a last
// one that denies. rte_acl knows no selectors: it gets a rule for each pod of each, and is asked
// with the pod's address.
#include <rte_acl.h>

#include <cstddef>
#include <memory>

#include "base/mix.h"
#include "packet/headers.h"
#include "table/identities.h"
#include "table/policy.h"
#include "testing/bench_clocks.h"
#include "testing/eal.h"

namespace sluice {
namespace {

constexpr uint32_t kPods = 1000, kMemberships = 8;
constexpr uint16_t kPort = 80;

be32 address_of(uint32_t pod) { return be32::from_host(0x0af40000 + pod); }

// By number; every question meets one rule, or the last one.
std::vector<uint32_t> selectors_of(uint32_t pod, uint32_t rules) {
  std::vector<uint32_t> selectors;
  for (uint32_t n = 0; n < kMemberships; n++) {
    selectors.push_back(mix(pod * kMemberships + n) % rules);
  }
  std::sort(selectors.begin(), selectors.end());
  selectors.erase(std::unique(selectors.begin(), selectors.end()), selectors.end());
  return selectors;
}

// Half of the selectors' rules are for another port.
uint16_t port_of(uint32_t rule) { return rule % 2 == 0 ? kPort : kPort + 1; }

struct Ours {
  explicit Ours(uint32_t count) : rules(make_rules(count)), set(rules) {
    for (uint32_t pod = 0; pod < kPods; pod++) add(pod);
  }
  static std::vector<Rule> make_rules(uint32_t count) {
    std::vector<Rule> made;
    for (uint32_t row = 0; row < count; row++) {
      made.push_back({row, kProtocolTcp, port_of(row), port_of(row), RuleAction::accept,
                      RuleTier::network, row});
    }
    made.push_back({kAnyPeer, 0, 0, UINT16_MAX, RuleAction::deny, RuleTier::network, count});
    return made;
  }
  void add(uint32_t pod) {
    networks.put({address_of(pod), Ipv4::kBits}, pod);
    identities.push_back({.selectors = selectors_of(pod, rules.size() - 1)});
  }
  uint32_t ask(be32 peer) const {
    const uint32_t identity = networks.lookup(peer);
    return *set.ask({identities[identity].selectors, kProtocolTcp, kPort, false}).rule;
  }

  std::vector<Rule> rules;
  RuleSet set;
  IdentityTable<Ipv4> networks;
  std::vector<Identity> identities;
};

struct AclInput {
  uint8_t protocol;
  uint8_t padding[3];
  be32 peer;
  be16 port;
  be16 none;
};

RTE_ACL_RULE_DEF(AclRule, 4);

class Acl {
 public:
  explicit Acl(uint32_t rules) : rules_(rules) {
    start_eal();
    const rte_acl_param parameters = {"policy", SOCKET_ID_ANY, RTE_ACL_RULE_SZ(4),
                                      2 * kPods * kMemberships};
    context_ = rte_acl_create(&parameters);
    for (uint32_t pod = 0; pod < kPods; pod++) add(pod);
    put(rules, 0, {}, 0, 0, UINT16_MAX);
    build();
  }
  ~Acl() { rte_acl_free(context_); }
  Acl(const Acl&) = delete;
  Acl& operator=(const Acl&) = delete;

  void add(uint32_t pod) {
    for (const uint32_t rule : selectors_of(pod, rules_)) {
      put(rule, kProtocolTcp, address_of(pod), Ipv4::kBits, port_of(rule), port_of(rule));
    }
  }
  void build() {
    rte_acl_config config{};
    config.num_categories = 1;
    config.num_fields = 4;
    auto field = [](uint8_t type, uint8_t size, uint8_t number, uint8_t input, size_t offset) {
      return rte_acl_field_def{type, size, number, input, static_cast<uint32_t>(offset)};
    };
    config.defs[0] = field(RTE_ACL_FIELD_TYPE_BITMASK, 1, 0, 0, offsetof(AclInput, protocol));
    config.defs[1] = field(RTE_ACL_FIELD_TYPE_MASK, 4, 1, 1, offsetof(AclInput, peer));
    config.defs[2] = field(RTE_ACL_FIELD_TYPE_RANGE, 2, 2, 2, offsetof(AclInput, port));
    config.defs[3] = field(RTE_ACL_FIELD_TYPE_RANGE, 2, 3, 2, offsetof(AclInput, none));
    sound_ &= rte_acl_build(context_, &config) == 0;
  }
  // Numbers of rules.
  void ask(const be32* peers, uint32_t count, uint32_t* answers) const {
    AclInput inputs[kBenchBatch];
    const uint8_t* data[kBenchBatch];
    for (uint32_t i = 0; i < count; i++) {
      inputs[i] = {kProtocolTcp, {}, peers[i], be16::from_host(kPort), {}};
      data[i] = reinterpret_cast<const uint8_t*>(&inputs[i]);
    }
    rte_acl_classify(context_, data, answers, count, 1);
    for (uint32_t i = 0; i < count; i++) answers[i]--;
  }
  bool sound() const { return sound_; }

 private:
  void put(uint32_t number, uint8_t protocol, be32 peer, uint32_t bits, uint16_t first,
           uint16_t last) {
    AclRule rule{};
    rule.data = {1, static_cast<int32_t>(RTE_ACL_MAX_PRIORITY - static_cast<int32_t>(number)),
                 number + 1};
    rule.field[0].value.u8 = protocol;
    rule.field[0].mask_range.u8 = protocol == 0 ? 0 : 0xff;
    rule.field[1].value.u32 = peer.host();
    rule.field[1].mask_range.u32 = bits;
    rule.field[2].value.u16 = first;
    rule.field[2].mask_range.u16 = last;
    rule.field[3].value.u16 = 0;
    rule.field[3].mask_range.u16 = UINT16_MAX;
    sound_ &= rte_acl_add_rules(context_, reinterpret_cast<const rte_acl_rule*>(&rule), 1) == 0;
  }

  uint32_t rules_;
  rte_acl_ctx* context_;
  bool sound_ = true;
};

// The peers of a batch, at random.
struct Peers {
  void next() {
    for (be32& peer : all) peer = address_of(mix(number++) % kPods);
  }
  uint32_t number = 0;
  be32 all[kBenchBatch];
};

void ask_ours(benchmark::State& state, uint32_t rules) {
  const Ours ours(rules);
  Peers peers;
  uint32_t sum = 0;
  time_each(
      state, [&] { peers.next(); }, [&](uint32_t i) { sum += ours.ask(peers.all[i]); });
  benchmark::DoNotOptimize(sum);
}

// `together`: so many questions in one call.
void ask_acl(benchmark::State& state, uint32_t rules, uint32_t together) {
  const Acl acl(rules);
  const Ours ours(rules);
  if (!acl.sound()) return state.SkipWithError("no table");
  Peers peers;
  uint32_t answers[kBenchBatch];
  time_whole(
      state, kBenchBatch, [&] { peers.next(); },
      [&] {
        for (uint32_t i = 0; i < kBenchBatch; i += together) {
          acl.ask(&peers.all[i], together, &answers[i]);
        }
      });
  for (uint32_t i = 0; i < kBenchBatch; i++) {
    if (answers[i] != ours.ask(peers.all[i])) return state.SkipWithError("another answer");
  }
}

void make_ours(benchmark::State& state, uint32_t rules) {
  std::unique_ptr<Ours> ours;
  time_whole(
      state, 1, [&] { ours.reset(); }, [&] { ours = std::make_unique<Ours>(rules); });
}

void make_acl(benchmark::State& state, uint32_t rules) {
  std::unique_ptr<Acl> acl;
  time_whole(
      state, 1, [&] { acl.reset(); }, [&] { acl = std::make_unique<Acl>(rules); });
  if (!acl->sound()) state.SkipWithError("no table");
}

// While a snapshot has the former table.
void add_pod_to_ours(benchmark::State& state, uint32_t rules) {
  Ours ours(rules);
  IdentityTable<Ipv4> published = ours.networks;
  uint32_t pod = kPods;
  time_whole(
      state, 1, [&] { published = ours.networks; }, [&] { ours.add(pod++); });
}

void add_pod_to_acl(benchmark::State& state, uint32_t rules) {
  std::unique_ptr<Acl> acl;
  time_whole(
      state, 1, [&] { acl = nullptr, acl = std::make_unique<Acl>(rules); },
      [&] {
        acl->add(kPods);
        acl->build();
      });
  if (!acl->sound()) state.SkipWithError("no table");
}

const bool added = [] {
  using State = benchmark::State;
  for (const uint32_t rules : {100, 10'000}) {
    const std::string size = "/rules:" + std::to_string(rules);
    add_timed("policy/ask" + size, [rules](State& state) { ask_ours(state, rules); });
    add_timed("policy/ask_acl" + size, [rules](State& state) { ask_acl(state, rules, 1); });
    add_timed("policy/ask_acl_burst" + size,
              [rules](State& state) { ask_acl(state, rules, kBenchBatch); });
    add_timed("policy/make" + size, [rules](State& state) { make_ours(state, rules); });
    add_timed("policy/make_acl" + size, [rules](State& state) { make_acl(state, rules); });
    add_timed("policy/add_pod" + size, [rules](State& state) { add_pod_to_ours(state, rules); });
    add_timed("policy/add_pod_acl" + size, [rules](State& state) { add_pod_to_acl(state, rules); });
  }
  return true;
}();

}  // namespace
}  // namespace sluice
