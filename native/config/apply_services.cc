// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <unordered_set>

#include "config/master.h"
#include "table/maglev.h"

namespace sluice {
namespace {

void release_group_of(const BackendRecord& backend, Master& master) {
  if (backend.group != kNoGroup) release(master.group_backends, backend.group);
}

// What is put keeps its serial where it only stays, though its slot may be among the removed.
void remove_backends(const ProgramDelta& delta, Master& master) {
  if (delta.removedBackends.empty()) return;
  const std::unordered_set<uint32_t> put(delta.backends.slot.begin(), delta.backends.slot.end());
  for (uint32_t slot : delta.removedBackends) {
    if (put.contains(slot) || !master.has_backend(slot)) continue;
    release_group_of(master.backend(slot), master);
    master.backend_slots.change({slot, {}});
    master.backends--;
  }
}

void put_backends(const ProgramDelta& delta, uint64_t commit, Master& master) {
  const auto& table = delta.backends;
  for (size_t row = 0; row < table.slot.size(); row++) {
    const uint32_t slot = table.slot[row];
    const BackendRecord record = master.backend(slot);
    BackendRecord next{address_of(table.address, row),
                       be16::from_host(table.port[row]),
                       table.flushed[row] != 0,
                       table.service[row],
                       table.group[row],
                       static_cast<uint32_t>(commit)};
    const bool same = record.serial != 0 && record.address == next.address &&
                      record.port == next.port && record.service == next.service;
    if (record.serial == 0) master.backends++;
    release_group_of(record, master);
    if (next.group != kNoGroup) master.group_backends[next.group]++;
    if (same) next.serial = record.serial;
    master.backend_slots.change({slot, next});
  }
}

std::shared_ptr<const Pool> make_pool(const ProgramDelta& delta, size_t row, const Master& master) {
  const size_t first = delta.pools.first[row], count = delta.pools.count[row];
  auto pool = std::make_shared<Pool>();
  pool->silent = delta.pools.silent[row] != 0;
  std::vector<MaglevBackend> spread(count);
  for (size_t i = 0; i < count; i++) {
    const uint32_t slot = delta.members.backend[first + i];
    const uint16_t weight = delta.members.weight[first + i];
    const BackendRecord record = master.backend(slot);
    std::memcpy(spread[i].address, record.address.bytes, sizeof(spread[i].address));
    spread[i].port = record.port.host();
    spread[i].weight = weight;
    pool->members.push_back(slot);
    if (weight > 0) pool->eligible.push_back(slot);
  }
  std::sort(pool->eligible.begin(), pool->eligible.end());
  pool->maglev = build_maglev(spread);
  for (uint32_t& place : pool->maglev) place = pool->members[place];
  return pool;
}

void remove_pool(uint32_t slot, Master& master) {
  if (!master.has_pool(slot)) return;
  for (uint32_t member : master.pool(slot).members) release(master.backend_references, member);
  master.pool_slots.change({slot, nullptr});
  master.pools--;
}

void apply_pools(const ProgramDelta& delta, Master& master) {
  for (uint32_t slot : delta.removedPools) remove_pool(slot, master);
  for (size_t row = 0; row < delta.pools.slot.size(); row++) {
    const uint32_t slot = delta.pools.slot[row];
    remove_pool(slot, master);
    std::shared_ptr<const Pool> pool = make_pool(delta, row, master);
    for (uint32_t member : pool->members) master.backend_references[member]++;
    master.pool_slots.change({slot, std::move(pool)});
    master.pools++;
  }
}

FrontendRow make_frontend(const ProgramDelta& delta, size_t row) {
  const auto& table = delta.frontends;
  FrontendRow frontend{
      {address_of(table.address, row), be16::from_host(table.port[row]), table.protocol[row]},
      static_cast<FrontendKind>(table.kind[row]),
      table.masquerade[row],
      table.service[row],
      {table.podPool[row], table.nodePool[row], table.outsidePool[row]},
      table.affinity[row],
      {}};
  const size_t first = table.rangesFirst[row], count = table.rangesCount[row];
  for (size_t at = first; at < first + count; at++) {
    frontend.ranges.push_back({address_of(delta.ranges.prefix, at), delta.ranges.length[at]});
  }
  return frontend;
}

template <class F>
Frontend<F> frontend_of(uint32_t slot, const FrontendRow& row) {
  Frontend<F> frontend{F::from(row.key.address),
                       row.key.port,
                       row.key.protocol,
                       row.kind,
                       row.masquerade,
                       slot,
                       row.service,
                       {row.pools[0], row.pools[1], row.pools[2]},
                       row.affinity_s,
                       {}};
  for (const RouteKey& range : row.ranges) {
    if (F::holds(range.prefix)) frontend.ranges.push_back({F::from(range.prefix), range.length});
  }
  frontend.closed = frontend.ranges.empty() && !row.ranges.empty();
  return frontend;
}

// Of the table of its family.
void change_frontend(uint32_t slot, const FrontendRow& row, bool is_there, Master& master) {
  if (row.key.address.is_ipv4()) {
    master.services4.change({frontend_of<Ipv4>(slot, row), is_there});
  } else {
    master.services6.change({frontend_of<Ipv6>(slot, row), is_there});
  }
}

void remove_frontend(uint32_t slot, Master& master) {
  const auto found = master.frontends.find(slot);
  if (found == master.frontends.end()) return;
  change_frontend(slot, found->second, false, master);
  master.frontend_slots.erase(found->second.key);
  for (uint32_t pool : found->second.pools) release(master.pool_references, pool);
  master.frontends.erase(found);
}

void apply_frontends(const ProgramDelta& delta, Master& master) {
  for (uint32_t slot : delta.removedFrontends) remove_frontend(slot, master);
  // All of them first: keys may change hands.
  for (uint32_t slot : delta.frontends.slot) remove_frontend(slot, master);
  for (size_t row = 0; row < delta.frontends.slot.size(); row++) {
    const uint32_t slot = delta.frontends.slot[row];
    FrontendRow frontend = make_frontend(delta, row);
    change_frontend(slot, frontend, true, master);
    master.frontend_slots.emplace(frontend.key, slot);
    for (uint32_t pool : frontend.pools) master.pool_references[pool]++;
    master.frontends.emplace(slot, std::move(frontend));
  }
}

}  // namespace

void apply_services(const ProgramDelta& delta, uint64_t commit, Master& master) {
  remove_backends(delta, master);
  put_backends(delta, commit, master);
  apply_pools(delta, master);
  apply_frontends(delta, master);
}

}  // namespace sluice
