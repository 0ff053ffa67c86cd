// SPDX-License-Identifier: Apache-2.0
import type { PrefixColumns, ProgramDelta } from '../../../compile/program.js';
import { type ErrorCode, SluiceError } from '../../../errors.js';
import { PROTOCOL } from '../packet/headers.js';
import { networkOf } from '../table/routes.js';
import { ServiceTable } from '../table/service-table.js';
import { isMapped, isZero, mappedAddress } from './mapped-address.js';
import type { ProgramState } from './program-state.js';

/** Frontend and pool slots lie below this in either engine. */
const MAX_SLOTS = 2 ** 20;
/** Routes that either engine has room for. */
const MAX_ROUTES = 65_536;

type Column = Uint8Array | Uint16Array | Uint32Array;
/** What a program may name besides its own rows. */
export interface ProgramLimits {
  backends: number;
  interfaces: number;
  /** Whether there is an interface in this slot. */
  hasInterface(slot: number): boolean;
}

/**
 * Looks at a whole delta and changes nothing. The tables come in the order below; within one, row
 * counts come first, then its rows. Names are judged by what will be there once the delta is
 * applied; removing what is not there is no fault.
 *
 * @throws SluiceError `ERR_PROGRAM`, `ERR_CAPACITY`; `path` is `table.column[row]`
 */
export function checkDelta(delta: ProgramDelta, state: ProgramState, limits: ProgramLimits): void {
  checkFrontends(delta, state);
  checkPools(delta);
  checkBackends(delta, state, limits);
  checkRemovedPools(delta, state);
  checkRoutes(delta, limits);
  checkRemovedRoutes(delta);
  checkRouteCount(delta, state);
  checkAddresses(delta, limits);
}

function refuse(path: string, message: string, code: ErrorCode = 'ERR_PROGRAM'): never {
  throw new SluiceError(code, message, { path });
}

type ColumnType = Uint8ArrayConstructor | Uint16ArrayConstructor | Uint32ArrayConstructor;

function table(
  name: string,
  columns: readonly (readonly [name: string, values: Column, type: ColumnType, width: number])[],
): void {
  const [firstName, firstValues, , firstWidth] = columns[0];
  for (const [columnName, values, type, width] of columns) {
    const path = `${name}.${columnName}`;
    column(path, values, type);
    if (values.length % width !== 0) {
      refuse(path, `${values.length} bytes are no whole number of rows of ${width}`);
    }
    if (values.length / width !== firstValues.length / firstWidth) {
      refuse(
        path,
        `has ${values.length / width} rows, ${name}.${firstName} has ${firstValues.length / firstWidth}`,
      );
    }
  }
}

function column(path: string, values: Column, type: ColumnType): void {
  if (!(values instanceof type)) refuse(path, `must be a ${type.name}`);
}

function checkFrontends(delta: ProgramDelta, state: ProgramState): void {
  const { frontends } = delta;
  column('removedFrontends', delta.removedFrontends, Uint32Array);
  column('removedPools', delta.removedPools, Uint32Array);
  table('frontends', [
    ['slot', frontends.slot, Uint32Array, 1],
    ['address', frontends.address, Uint8Array, 16],
    ['port', frontends.port, Uint16Array, 1],
    ['protocol', frontends.protocol, Uint8Array, 1],
    ['pool', frontends.pool, Uint32Array, 1],
  ]);
  const putPools = new Set(delta.pools.slot);
  const gonePools = new Set(delta.removedPools);
  const gone = goneFrontends(delta);
  const slots = new Set<number>();
  const keys = new Set<number>();
  for (let row = 0; row < frontends.slot.length; row++) {
    checkSlot('frontends.slot', frontends.slot[row], row, slots, MAX_SLOTS);
    checkMapped('frontends.address', frontends.address, row);
    const protocol = frontends.protocol[row];
    if (protocol !== PROTOCOL.tcp && protocol !== PROTOCOL.udp) {
      refuse(`frontends.protocol[${row}]`, `${protocol} is neither 6 (TCP) nor 17 (UDP)`);
    }
    const pool = frontends.pool[row];
    if (!putPools.has(pool) && (gonePools.has(pool) || !state.pools.has(pool))) {
      refuse(`frontends.pool[${row}]`, `there is no pool ${pool}`);
    }
    const address = mappedAddress(frontends.address, row);
    const key = ServiceTable.key(address, frontends.port[row], protocol);
    const owner = state.services.find(address, frontends.port[row], protocol);
    if (keys.has(key) || (owner !== undefined && !gone.has(owner.slot))) {
      refuse(`frontends.address[${row}]`, 'another frontend has this address, port and protocol');
    }
    keys.add(key);
  }
}

/** Frontends that are removed or put anew. */
function goneFrontends({ frontends, removedFrontends }: ProgramDelta): Set<number> {
  return new Set([...removedFrontends, ...frontends.slot]);
}

function checkPools({ pools, backends }: ProgramDelta): void {
  table('pools', [
    ['slot', pools.slot, Uint32Array, 1],
    ['first', pools.first, Uint32Array, 1],
    ['count', pools.count, Uint32Array, 1],
  ]);
  const rows = backends.slot.length;
  const owned = new Uint8Array(rows);
  const slots = new Set<number>();
  for (let row = 0; row < pools.slot.length; row++) {
    checkSlot('pools.slot', pools.slot[row], row, slots, MAX_SLOTS);
    const first = pools.first[row];
    const end = first + pools.count[row];
    if (end > first && first >= rows) {
      refuse(`pools.first[${row}]`, `is beyond the ${rows} rows of backends`);
    }
    if (end > first && end > rows) {
      refuse(`pools.count[${row}]`, `reaches beyond the ${rows} rows of backends`);
    }
    for (let backend = first; backend < end; backend++) {
      if (owned[backend]) refuse(`pools.first[${row}]`, 'overlaps with another pool');
      owned[backend] = 1;
    }
  }
}

function checkBackends(delta: ProgramDelta, state: ProgramState, limits: ProgramLimits): void {
  const { backends } = delta;
  table('backends', [
    ['slot', backends.slot, Uint32Array, 1],
    ['address', backends.address, Uint8Array, 16],
    ['port', backends.port, Uint16Array, 1],
    ['weight', backends.weight, Uint16Array, 1],
  ]);
  const replaced = new Set([...delta.pools.slot, ...delta.removedPools]);
  const slots = new Set<number>();
  for (let row = 0; row < backends.slot.length; row++) {
    const slot = backends.slot[row];
    checkSlot('backends.slot', slot, row, slots, limits.backends);
    const owner = state.poolOfBackend(slot);
    if (owner !== null && !replaced.has(owner)) {
      refuse(`backends.slot[${row}]`, `${slot} belongs to pool ${owner}`);
    }
    checkMapped('backends.address', backends.address, row);
  }
}

function checkRemovedPools(delta: ProgramDelta, state: ProgramState): void {
  const gonePools = new Map(Array.from(delta.removedPools, (slot, row) => [slot, row] as const));
  for (const slot of delta.pools.slot) gonePools.delete(slot);
  if (gonePools.size === 0) return;
  const gone = goneFrontends(delta);
  for (const frontend of state.services.frontends()) {
    const row = gonePools.get(frontend.pool);
    if (row !== undefined && !gone.has(frontend.slot)) {
      refuse(`removedPools[${row}]`, `frontend ${frontend.slot} names pool ${frontend.pool}`);
    }
  }
}

function checkRoutes({ routes }: ProgramDelta, limits: ProgramLimits): void {
  table('routes', [
    ['length', routes.length, Uint8Array, 1],
    ['prefix', routes.prefix, Uint8Array, 16],
    ['interface', routes.interface, Uint16Array, 1],
    ['gateway', routes.gateway, Uint8Array, 16],
    ['mac', routes.mac, Uint8Array, 6],
  ]);
  const keys = new Set<number>();
  for (let row = 0; row < routes.length.length; row++) {
    checkPrefix('routes', routes.prefix, routes.length, row);
    const key = routeKey(routes, row);
    if (keys.has(key)) refuse(`routes.prefix[${row}]`, 'is there twice');
    keys.add(key);
    if (!limits.hasInterface(routes.interface[row])) {
      refuse(`routes.interface[${row}]`, `there is no interface ${routes.interface[row]}`);
    }
    if (!isZero(routes.gateway, row)) checkMapped('routes.gateway', routes.gateway, row);
  }
}

function checkRemovedRoutes({ removedRoutes }: ProgramDelta): void {
  table('removedRoutes', [
    ['length', removedRoutes.length, Uint8Array, 1],
    ['prefix', removedRoutes.prefix, Uint8Array, 16],
  ]);
  for (let row = 0; row < removedRoutes.length.length; row++) {
    checkPrefix('removedRoutes', removedRoutes.prefix, removedRoutes.length, row);
  }
}

function checkRouteCount({ routes, removedRoutes }: ProgramDelta, state: ProgramState): void {
  const isThere = (columns: PrefixColumns, row: number) =>
    state.routes.has(mappedAddress(columns.prefix, row), columns.length[row]);
  const gone = new Set<number>();
  for (let row = 0; row < removedRoutes.length.length; row++) {
    if (isThere(removedRoutes, row)) gone.add(routeKey(removedRoutes, row));
  }
  let count = state.routes.size - gone.size;
  for (let row = 0; row < routes.length.length; row++) {
    if (isThere(routes, row) && !gone.has(routeKey(routes, row))) continue;
    if (++count > MAX_ROUTES) {
      refuse(`routes.prefix[${row}]`, `there is room for ${MAX_ROUTES} routes`, 'ERR_CAPACITY');
    }
  }
}

function routeKey({ prefix, length }: PrefixColumns, row: number): number {
  return mappedAddress(prefix, row) * 64 + length[row];
}

function checkAddresses({ addresses }: ProgramDelta, limits: ProgramLimits): void {
  if (addresses === null) return;
  table('addresses', [
    ['interface', addresses.interface, Uint16Array, 1],
    ['address', addresses.address, Uint8Array, 16],
    ['length', addresses.length, Uint8Array, 1],
  ]);
  for (let row = 0; row < addresses.length.length; row++) {
    if (!limits.hasInterface(addresses.interface[row])) {
      refuse(`addresses.interface[${row}]`, `there is no interface ${addresses.interface[row]}`);
    }
    checkMapped('addresses.address', addresses.address, row);
    checkLength('addresses.length', addresses.length, row);
  }
}

function checkSlot(path: string, slot: number, row: number, seen: Set<number>, limit: number) {
  if (slot >= limit) refuse(`${path}[${row}]`, `${slot} is not below ${limit}`, 'ERR_CAPACITY');
  if (seen.has(slot)) refuse(`${path}[${row}]`, `${slot} is there twice`);
  seen.add(slot);
}

function checkPrefix(name: string, prefixes: Uint8Array, lengths: Uint8Array, row: number): void {
  checkMapped(`${name}.prefix`, prefixes, row);
  checkLength(`${name}.length`, lengths, row);
  const prefix = mappedAddress(prefixes, row);
  if (networkOf(prefix, lengths[row]) !== prefix) {
    refuse(`${name}.prefix[${row}]`, `has bits set behind the first ${lengths[row]}`);
  }
}

function checkMapped(path: string, addresses: Uint8Array, row: number): void {
  if (!isMapped(addresses, row)) refuse(`${path}[${row}]`, 'is no IPv4-mapped address');
}

function checkLength(path: string, lengths: Uint8Array, row: number): void {
  if (lengths[row] > 32) refuse(`${path}[${row}]`, `${lengths[row]} is above 32`);
}
