// SPDX-License-Identifier: Apache-2.0
import { NO_GROUP, type ProgramDelta } from '../../../compile/program.js';
import { addressOfRow, isIpv4 } from '../base/address.js';
import { PROTOCOL } from '../packet/headers.js';
import { AddressMap } from '../table/address-map.js';
import {
  ADDRESS_BYTES,
  checkAddress,
  checkAtMost,
  checkBelow,
  checkPrefixes,
  checkRows,
  checkSlot,
  checkSpan,
  MAX_SLOTS,
  NO_OWNER,
  refuse,
  takeSpan,
} from './check-rows.js';
import type { ProgramLimits, ProgramState } from './program-state.js';
import { increase } from './rows.js';

const WITH_PORTS: readonly number[] = [PROTOCOL.tcp, PROTOCOL.udp, PROTOCOL.sctp];

/** Frontends, ranges, backends, pools, members, and what is removed of them. */
export function checkServices(
  delta: ProgramDelta,
  state: ProgramState,
  limits: ProgramLimits,
): void {
  checkFrontends(delta, state);
  checkPrefixes('ranges', delta.ranges);
  checkBackends(delta, state, limits);
  checkMembers(delta, state, checkPools(delta));
  checkRemovedBackends(delta, state);
  checkRemovedPools(delta, state);
}

function checkFrontends(delta: ProgramDelta, state: ProgramState): void {
  const { frontends, ranges } = delta;
  const rows = frontends.slot.length;
  checkRows('frontends', rows, [
    ['address', frontends.address, ADDRESS_BYTES],
    ['port', frontends.port, 1],
    ['protocol', frontends.protocol, 1],
    ['kind', frontends.kind, 1],
    ['service', frontends.service, 1],
    ['podPool', frontends.podPool, 1],
    ['nodePool', frontends.nodePool, 1],
    ['outsidePool', frontends.outsidePool, 1],
    ['masquerade', frontends.masquerade, 1],
    ['affinity', frontends.affinity, 1],
    ['rangesFirst', frontends.rangesFirst, 1],
    ['rangesCount', frontends.rangesCount, 1],
  ]);
  const rangeRows = ranges.length.length;
  const putPools = new Set(delta.pools.slot);
  const gonePools = new Set(delta.removedPools);
  const isPool = (slot: number) =>
    putPools.has(slot) || (state.pools.has(slot) && !gonePools.has(slot));
  const gone = goneFrontends(delta);
  const slots = new Set<number>();
  const keys = new AddressMap<true>();
  for (let row = 0; row < rows; row++) {
    checkSlot('frontends.slot', frontends.slot[row], row, slots, MAX_SLOTS);
    checkAddress('frontends.address', frontends.address, row);
    const address = addressOfRow(frontends.address, row);
    const port = frontends.port[row];
    const protocol = frontends.protocol[row];
    if (!mayServe(protocol, port, isIpv4(address))) {
      refuse(`frontends.protocol[${row}]`, `${protocol} on port ${port} is nothing to serve`);
    }
    checkAtMost('frontends.kind', frontends.kind[row], row, 2);
    checkBelow('frontends.service', frontends.service[row], row, MAX_SLOTS);
    for (const column of ['podPool', 'nodePool', 'outsidePool'] as const) {
      const slot = frontends[column][row];
      if (!isPool(slot)) refuse(`frontends.${column}[${row}]`, `there is no pool ${slot}`);
    }
    checkAtMost('frontends.masquerade', frontends.masquerade[row], row, 7);
    checkSpan('frontends', 'ranges', frontends.rangesFirst[row], frontends.rangesCount[row], {
      row,
      rows: rangeRows,
      first: 'rangesFirst',
      count: 'rangesCount',
    });
    const owner = state.services.find(address, 0, port, protocol);
    const key = port * 0x100 + protocol;
    if (keys.get(address, 0, key) || (owner !== undefined && !gone.has(owner.slot))) {
      refuse(`frontends.address[${row}]`, 'another frontend has this address, port and protocol');
    }
    keys.set(address, 0, key, true);
  }
}

function mayServe(protocol: number, port: number, isIpv4Address: boolean): boolean {
  if (WITH_PORTS.includes(protocol)) return true;
  return port === 0 && protocol === (isIpv4Address ? PROTOCOL.icmp : PROTOCOL.icmpv6);
}

/** Frontends that are removed or put anew. */
function goneFrontends({ frontends, removedFrontends }: ProgramDelta): Set<number> {
  return new Set([...removedFrontends, ...frontends.slot]);
}

function checkBackends(delta: ProgramDelta, state: ProgramState, limits: ProgramLimits): void {
  const { backends } = delta;
  const rows = backends.slot.length;
  checkRows('backends', rows, [
    ['address', backends.address, ADDRESS_BYTES],
    ['port', backends.port, 1],
    ['service', backends.service, 1],
    ['flushed', backends.flushed, 1],
    ['group', backends.group, 1],
  ]);
  const putGroups = new Set(delta.groups.slot);
  const goneGroups = new Set(delta.removedGroups);
  const slots = new Set<number>();
  for (let row = 0; row < rows; row++) {
    checkSlot('backends.slot', backends.slot[row], row, slots, limits.backends);
    checkAddress('backends.address', backends.address, row);
    checkBelow('backends.service', backends.service[row], row, MAX_SLOTS);
    checkAtMost('backends.flushed', backends.flushed[row], row, 1);
    const group = backends.group[row];
    if (group === NO_GROUP || putGroups.has(group)) continue;
    if (!state.groups.has(group) || goneGroups.has(group)) {
      refuse(`backends.group[${row}]`, `there is no group ${group}`);
    }
  }
}

/** @returns for each row of `members` the row of its pool, or `NO_OWNER` */
function checkPools({ pools, members }: ProgramDelta): Int32Array {
  const rows = pools.slot.length;
  checkRows('pools', rows, [
    ['first', pools.first, 1],
    ['count', pools.count, 1],
    ['silent', pools.silent, 1],
  ]);
  const owner = new Int32Array(members.backend.length).fill(NO_OWNER);
  const slots = new Set<number>();
  for (let row = 0; row < rows; row++) {
    checkSlot('pools.slot', pools.slot[row], row, slots, MAX_SLOTS);
    takeSpan('pools', 'members', pools, row, owner);
    checkAtMost('pools.silent', pools.silent[row], row, 1);
  }
  return owner;
}

function checkMembers(delta: ProgramDelta, state: ProgramState, owner: Int32Array): void {
  const { members } = delta;
  checkRows('members', members.backend.length, [['weight', members.weight, 1]]);
  const put = new Set(delta.backends.slot);
  const gone = new Set(delta.removedBackends);
  const seen = new Map<number, Set<number>>();
  for (let row = 0; row < members.backend.length; row++) {
    const backend = members.backend[row];
    if (!put.has(backend) && (gone.has(backend) || !state.backends.has(backend))) {
      refuse(`members.backend[${row}]`, `there is no backend ${backend}`);
    }
    if (owner[row] === NO_OWNER) continue;
    const others = seen.get(owner[row]) ?? new Set();
    if (others.has(backend)) refuse(`members.backend[${row}]`, `${backend} is in the pool twice`);
    seen.set(owner[row], others.add(backend));
  }
}

function checkRemovedBackends(delta: ProgramDelta, state: ProgramState): void {
  if (delta.removedBackends.length === 0) return;
  const put = new Set(delta.backends.slot);
  const released = new Map<number, number>();
  for (const pool of new Set([...delta.removedPools, ...delta.pools.slot])) {
    for (const backend of state.pools.get(pool)?.members ?? []) increase(released, backend);
  }
  for (const [row, slot] of delta.removedBackends.entries()) {
    if (put.has(slot) || !state.backends.has(slot)) continue;
    if (state.usesOfBackend(slot) > (released.get(slot) ?? 0)) {
      refuse(`removedBackends[${row}]`, `backend ${slot} is a member of a pool`);
    }
  }
}

function checkRemovedPools(delta: ProgramDelta, state: ProgramState): void {
  if (delta.removedPools.length === 0) return;
  const put = new Set(delta.pools.slot);
  const released = new Map<number, number>();
  for (const slot of goneFrontends(delta)) {
    for (const pool of state.services.at(slot)?.pools ?? []) increase(released, pool);
  }
  for (const [row, slot] of delta.removedPools.entries()) {
    if (!put.has(slot) && state.services.usesOfPool(slot) > (released.get(slot) ?? 0)) {
      refuse(`removedPools[${row}]`, `a frontend names pool ${slot}`);
    }
  }
}
