// SPDX-License-Identifier: Apache-2.0
// Rules 1 to 7 of docs/program.md: frontends, backends and pools.
#include <algorithm>
#include <unordered_set>

#include "config/check_rows.h"
#include "packet/headers.h"

namespace sluice {
namespace {

using Set = std::unordered_set<uint32_t>;

constexpr uint8_t kMaxKind = 2;
constexpr uint8_t kAllScopes = (1 << kScopes) - 1;
constexpr size_t kUnowned = SIZE_MAX;

bool is_protocol(uint8_t protocol, uint16_t port, const Address& address) {
  if (protocol == kProtocolTcp || protocol == kProtocolUdp || protocol == kProtocolSctp) {
    return true;
  }
  return port == 0 && protocol == (address.is_ipv4() ? kProtocolIcmp : kProtocolIcmpv6);
}

class Check {
 public:
  Check(const ProgramDelta& delta, const Master& master)
      : delta_(delta),
        master_(master),
        changed_frontends_(delta.removedFrontends.begin(), delta.removedFrontends.end()),
        put_backends_(delta.backends.slot.begin(), delta.backends.slot.end()),
        gone_backends_(delta.removedBackends.begin(), delta.removedBackends.end()),
        put_pools_(delta.pools.slot.begin(), delta.pools.slot.end()),
        gone_pools_(delta.removedPools.begin(), delta.removedPools.end()) {
    changed_frontends_.insert(delta.frontends.slot.begin(), delta.frontends.slot.end());
  }

  Status run() {
    if (auto error = frontends()) return error;
    if (auto error = check_prefixes("ranges.prefix", "ranges.length", delta_.ranges)) return error;
    if (auto error = backends()) return error;
    if (auto error = pools()) return error;
    if (auto error = members()) return error;
    if (auto error = removed_backends()) return error;
    return removed_pools();
  }

 private:
  // Judged by what will be there.
  bool will_be_pool(uint32_t slot) const {
    return put_pools_.contains(slot) || (master_.has_pool(slot) && !gone_pools_.contains(slot));
  }
  bool will_be_backend(uint32_t slot) const {
    return put_backends_.contains(slot) ||
           (master_.has_backend(slot) && !gone_backends_.contains(slot));
  }

  bool will_be_group(uint32_t slot) const {
    const auto lists = [slot](const std::vector<uint32_t>& all) {
      return std::find(all.begin(), all.end(), slot) != all.end();
    };
    return lists(delta_.groups.slot) || (master_.has_group(slot) && !lists(delta_.removedGroups));
  }

  Status frontends() const {
    const auto& table = delta_.frontends;
    const size_t rows = table.slot.size();
    if (auto error = check_sizes(rows, {{"frontends.address", table.address.size(), 16},
                                        {"frontends.port", table.port.size()},
                                        {"frontends.protocol", table.protocol.size()},
                                        {"frontends.kind", table.kind.size()},
                                        {"frontends.service", table.service.size()},
                                        {"frontends.podPool", table.podPool.size()},
                                        {"frontends.nodePool", table.nodePool.size()},
                                        {"frontends.outsidePool", table.outsidePool.size()},
                                        {"frontends.masquerade", table.masquerade.size()},
                                        {"frontends.affinity", table.affinity.size()},
                                        {"frontends.rangesFirst", table.rangesFirst.size()},
                                        {"frontends.rangesCount", table.rangesCount.size()}})) {
      return error;
    }
    Set slots;
    std::unordered_set<FrontendKey, HashOfBytes> keys;
    for (size_t row = 0; row < rows; row++) {
      const uint32_t slot = table.slot[row];
      if (slot >= kMaxSlots) return capacity_error("frontends.slot", row, kBeyond);
      if (!slots.insert(slot).second) return program_error("frontends.slot", row, kTwice);
      if (auto error = frontend(row)) return error;
      const FrontendKey key{address_of(table.address, row), be16::from_host(table.port[row]),
                            table.protocol[row]};
      const auto other = master_.frontend_slots.find(key);
      const bool taken =
          other != master_.frontend_slots.end() && !changed_frontends_.contains(other->second);
      if (taken || !keys.insert(key).second) {
        return program_error("frontends.address", row,
                             "another frontend has this address, port and protocol");
      }
    }
    return {};
  }

  // The columns of a row behind its slot.
  Status frontend(size_t row) const {
    const auto& table = delta_.frontends;
    const Address address = address_of(table.address, row);
    if (!is_address(address)) return program_error("frontends.address", row, kNoAddress);
    if (!is_protocol(table.protocol[row], table.port[row], address)) {
      return program_error("frontends.protocol", row, "is no protocol of a service");
    }
    if (table.kind[row] > kMaxKind) return program_error("frontends.kind", row, "is no kind");
    if (table.service[row] >= kMaxSlots) return capacity_error("frontends.service", row, kBeyond);
    const std::pair<const char*, uint32_t> pools[] = {
        {"frontends.podPool", table.podPool[row]},
        {"frontends.nodePool", table.nodePool[row]},
        {"frontends.outsidePool", table.outsidePool[row]}};
    for (const auto& [column, pool] : pools) {
      if (!will_be_pool(pool)) return program_error(column, row, "names no pool");
    }
    if (table.masquerade[row] > kAllScopes) {
      return program_error("frontends.masquerade", row, "has a bit of no scope");
    }
    const uint64_t first = table.rangesFirst[row], count = table.rangesCount[row];
    if (count > 0 && first >= delta_.ranges.length.size()) {
      return program_error("frontends.rangesFirst", row, "is beyond the rows of ranges");
    }
    if (count > 0 && first + count > delta_.ranges.length.size()) {
      return program_error("frontends.rangesCount", row, "reaches beyond the rows of ranges");
    }
    return {};
  }

  Status backends() const {
    const auto& table = delta_.backends;
    const size_t rows = table.slot.size();
    if (auto error = check_sizes(rows, {{"backends.address", table.address.size(), 16},
                                        {"backends.port", table.port.size()},
                                        {"backends.service", table.service.size()},
                                        {"backends.flushed", table.flushed.size()},
                                        {"backends.group", table.group.size()}})) {
      return error;
    }
    Set slots;
    for (size_t row = 0; row < rows; row++) {
      const uint32_t slot = table.slot[row];
      if (slot >= master_.limits.backends) return capacity_error("backends.slot", row, kBeyond);
      if (!slots.insert(slot).second) return program_error("backends.slot", row, kTwice);
      if (!is_address(address_of(table.address, row))) {
        return program_error("backends.address", row, kNoAddress);
      }
      if (table.service[row] >= kMaxSlots) return capacity_error("backends.service", row, kBeyond);
      if (table.flushed[row] > 1) return program_error("backends.flushed", row, "is above 1");
      if (table.group[row] != kNoGroup && !will_be_group(table.group[row])) {
        return program_error("backends.group", row, "names no group");
      }
    }
    return {};
  }

  Status pools() {
    const auto& table = delta_.pools;
    const size_t rows = table.slot.size();
    if (auto error = check_sizes(rows, {{"pools.first", table.first.size()},
                                        {"pools.count", table.count.size()},
                                        {"pools.silent", table.silent.size()}})) {
      return error;
    }
    const size_t members = delta_.members.backend.size();
    owners_.assign(members, kUnowned);
    Set slots;
    for (size_t row = 0; row < rows; row++) {
      if (table.slot[row] >= kMaxSlots) return capacity_error("pools.slot", row, kBeyond);
      if (!slots.insert(table.slot[row]).second) return program_error("pools.slot", row, kTwice);
      const uint64_t first = table.first[row], count = table.count[row];
      if (count > 0 && first >= members) {
        return program_error("pools.first", row, "is beyond the rows of members");
      }
      if (count > 0 && first + count > members) {
        return program_error("pools.count", row, "reaches beyond the rows of members");
      }
      for (uint64_t at = first; at < first + count; at++) {
        if (owners_[at] != kUnowned) {
          return program_error("pools.first", row, "overlaps with another pool");
        }
        owners_[at] = row;
      }
      if (table.silent[row] > 1) return program_error("pools.silent", row, "is above 1");
    }
    return {};
  }

  Status members() const {
    const auto& table = delta_.members;
    const size_t rows = table.backend.size();
    if (auto error = check_sizes(rows, {{"members.weight", table.weight.size()}})) return error;
    std::unordered_set<uint64_t> seen;  // (row of the pool, backend)
    for (size_t row = 0; row < rows; row++) {
      const uint32_t backend = table.backend[row];
      if (!will_be_backend(backend)) {
        return program_error("members.backend", row, "names no backend");
      }
      if (owners_[row] == kUnowned) continue;
      if (!seen.insert(uint64_t{owners_[row]} << 32 | backend).second) {
        return program_error("members.backend", row, "is in the pool already");
      }
    }
    return {};
  }

  Status removed_backends() const {
    if (delta_.removedBackends.empty()) return {};
    // Pools that are to go, or to be put anew, have their old members no longer.
    Counts released;
    Set changed_pools = gone_pools_;
    changed_pools.insert(put_pools_.begin(), put_pools_.end());
    for (uint32_t slot : changed_pools) {
      if (!master_.has_pool(slot)) continue;
      for (uint32_t member : master_.pool(slot).members) released[member]++;
    }
    for (size_t row = 0; row < delta_.removedBackends.size(); row++) {
      const uint32_t slot = delta_.removedBackends[row];
      if (put_backends_.contains(slot)) continue;
      if (is_referred_to(slot, master_.backend_references, released)) {
        return program_error("removedBackends", row, "is a backend that is a pool's member");
      }
    }
    return {};
  }

  Status removed_pools() const {
    if (delta_.removedPools.empty()) return {};
    // Frontends that are to go, or to be put anew, name their old pools no longer.
    Counts released;
    for (uint32_t slot : changed_frontends_) {
      const auto frontend = master_.frontends.find(slot);
      if (frontend == master_.frontends.end()) continue;
      for (uint32_t pool : frontend->second.pools) released[pool]++;
    }
    for (size_t row = 0; row < delta_.removedPools.size(); row++) {
      const uint32_t slot = delta_.removedPools[row];
      if (put_pools_.contains(slot)) continue;
      if (is_referred_to(slot, master_.pool_references, released)) {
        return program_error("removedPools", row, "is a pool that a frontend still names");
      }
    }
    return {};
  }

  const ProgramDelta& delta_;
  const Master& master_;
  Set changed_frontends_;  // removed, or put anew
  Set put_backends_;
  Set gone_backends_;
  Set put_pools_;
  Set gone_pools_;
  std::vector<size_t> owners_;  // of rows of members: row of the pool
};

}  // namespace

Status check_services(const ProgramDelta& delta, const Master& master) {
  return Check(delta, master).run();
}

}  // namespace sluice
