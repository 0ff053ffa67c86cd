// SPDX-License-Identifier: Apache-2.0
import type { ProgramDelta } from '../../../compile/program.js';
import { SluiceError } from '../../../errors.js';
import { PROTOCOL } from '../packet/headers.js';
import { networkOf } from '../table/routes.js';
import { ServiceTable } from '../table/service-table.js';
import { isMapped, isZero, mappedAddress } from './mapped-address.js';
import type { ProgramState } from './program-state.js';

type Column = Uint8Array | Uint16Array | Uint32Array;

/** What a program may name besides its own rows. */
export interface ProgramLimits {
  backends: number;
  interfaces: number;
  /** Whether there is an interface in this slot. */
  hasInterface(slot: number): boolean;
}

/**
 * Looks at a whole delta and changes nothing.
 * @throws SluiceError `ERR_PROGRAM`; `path` is `table.column[row]`
 */
export function checkDelta(delta: ProgramDelta, state: ProgramState, limits: ProgramLimits): void {
  checkShape(delta);
  checkBackends(delta, limits);
  checkPools(delta, state);
  checkFrontends(delta, state);
  checkRoutes(delta, limits);
  checkAddresses(delta, limits);
}

function refuse(path: string, message: string): never {
  throw new SluiceError('ERR_PROGRAM', message, { path });
}

function checkShape(delta: ProgramDelta): void {
  const { frontends, pools, backends, routes, removedRoutes, addresses } = delta;
  column('removedFrontends', delta.removedFrontends, Uint32Array);
  column('removedPools', delta.removedPools, Uint32Array);
  table('frontends', [
    ['slot', frontends.slot, Uint32Array, 1],
    ['address', frontends.address, Uint8Array, 16],
    ['port', frontends.port, Uint16Array, 1],
    ['protocol', frontends.protocol, Uint8Array, 1],
    ['pool', frontends.pool, Uint32Array, 1],
  ]);
  table('pools', [
    ['slot', pools.slot, Uint32Array, 1],
    ['first', pools.first, Uint32Array, 1],
    ['count', pools.count, Uint32Array, 1],
  ]);
  table('backends', [
    ['slot', backends.slot, Uint32Array, 1],
    ['address', backends.address, Uint8Array, 16],
    ['port', backends.port, Uint16Array, 1],
    ['weight', backends.weight, Uint16Array, 1],
  ]);
  table('routes', [
    ['prefix', routes.prefix, Uint8Array, 16],
    ['length', routes.length, Uint8Array, 1],
    ['interface', routes.interface, Uint16Array, 1],
    ['gateway', routes.gateway, Uint8Array, 16],
    ['mac', routes.mac, Uint8Array, 6],
  ]);
  table('removedRoutes', [
    ['prefix', removedRoutes.prefix, Uint8Array, 16],
    ['length', removedRoutes.length, Uint8Array, 1],
  ]);
  if (addresses === null) return;
  table('addresses', [
    ['interface', addresses.interface, Uint16Array, 1],
    ['address', addresses.address, Uint8Array, 16],
    ['length', addresses.length, Uint8Array, 1],
  ]);
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

function checkBackends({ backends }: ProgramDelta, limits: ProgramLimits): void {
  for (let row = 0; row < backends.slot.length; row++) {
    if (backends.slot[row] >= limits.backends) {
      refuse(`backends.slot[${row}]`, `${backends.slot[row]} is not below ${limits.backends}`);
    }
    checkMapped('backends.address', backends.address, row);
  }
}

function checkPools({ pools, backends, removedPools }: ProgramDelta, state: ProgramState): void {
  const replaced = new Set<number>(removedPools);
  const seenPools = new Set<number>();
  for (let row = 0; row < pools.slot.length; row++) {
    const slot = pools.slot[row];
    if (seenPools.has(slot)) refuse(`pools.slot[${row}]`, `${slot} is there twice`);
    seenPools.add(slot);
    replaced.add(slot);
    if (pools.first[row] + pools.count[row] > backends.slot.length) {
      const path = pools.first[row] > backends.slot.length ? 'first' : 'count';
      refuse(`pools.${path}[${row}]`, `the range ends behind the ${backends.slot.length} backends`);
    }
  }
  const seenBackends = new Set<number>();
  for (let row = 0; row < pools.slot.length; row++) {
    const end = pools.first[row] + pools.count[row];
    for (let backend = pools.first[row]; backend < end; backend++) {
      const slot = backends.slot[backend];
      if (seenBackends.has(slot)) refuse(`backends.slot[${backend}]`, `${slot} is there twice`);
      seenBackends.add(slot);
      const owner = state.poolOfBackend(slot);
      if (owner !== null && !replaced.has(owner)) {
        refuse(`backends.slot[${backend}]`, `${slot} belongs to pool ${owner}`);
      }
    }
  }
}

function checkFrontends(delta: ProgramDelta, state: ProgramState): void {
  const { frontends, pools, removedPools } = delta;
  const put = new Set(pools.slot);
  const gonePools = new Map([...removedPools].map((slot, row) => [slot, row] as const));
  for (const slot of put) gonePools.delete(slot);
  const replaced = new Set<number>(delta.removedFrontends);
  const seenSlots = new Set<number>();
  for (let row = 0; row < frontends.slot.length; row++) {
    const slot = frontends.slot[row];
    if (seenSlots.has(slot)) refuse(`frontends.slot[${row}]`, `${slot} is there twice`);
    seenSlots.add(slot);
    replaced.add(slot);
  }
  const seenKeys = new Set<number>();
  for (let row = 0; row < frontends.slot.length; row++) {
    checkMapped('frontends.address', frontends.address, row);
    const protocol = frontends.protocol[row];
    if (protocol !== PROTOCOL.tcp && protocol !== PROTOCOL.udp) {
      refuse(`frontends.protocol[${row}]`, `${protocol} is neither 6 (TCP) nor 17 (UDP)`);
    }
    const pool = frontends.pool[row];
    if (!put.has(pool) && (gonePools.has(pool) || !state.pools.has(pool))) {
      refuse(`frontends.pool[${row}]`, `there is no pool ${pool}`);
    }
    const address = mappedAddress(frontends.address, row);
    const key = ServiceTable.key(address, frontends.port[row], protocol);
    const owner = state.services.find(address, frontends.port[row], protocol);
    if (seenKeys.has(key) || (owner !== undefined && !replaced.has(owner.slot))) {
      refuse(`frontends.address[${row}]`, 'another frontend has this address, port and protocol');
    }
    seenKeys.add(key);
  }
  if (gonePools.size === 0) return;
  for (const frontend of state.services.frontends()) {
    const row = gonePools.get(frontend.pool);
    if (row !== undefined && !replaced.has(frontend.slot)) {
      refuse(`removedPools[${row}]`, `frontend ${frontend.slot} names pool ${frontend.pool}`);
    }
  }
}

function checkRoutes({ routes, removedRoutes }: ProgramDelta, limits: ProgramLimits): void {
  for (let row = 0; row < routes.length.length; row++) {
    checkPrefix('routes', routes.prefix, routes.length, row);
    if (!limits.hasInterface(routes.interface[row])) {
      refuse(`routes.interface[${row}]`, `there is no interface ${routes.interface[row]}`);
    }
    if (!isZero(routes.gateway, row)) checkMapped('routes.gateway', routes.gateway, row);
  }
  for (let row = 0; row < removedRoutes.length.length; row++) {
    checkPrefix('removedRoutes', removedRoutes.prefix, removedRoutes.length, row);
  }
}

function checkAddresses({ addresses }: ProgramDelta, limits: ProgramLimits): void {
  if (addresses === null) return;
  for (let row = 0; row < addresses.length.length; row++) {
    if (addresses.interface[row] >= limits.interfaces) {
      refuse(
        `addresses.interface[${row}]`,
        `${addresses.interface[row]} is not below ${limits.interfaces}`,
      );
    }
    checkMapped('addresses.address', addresses.address, row);
    checkLength('addresses.length', addresses.length, row);
  }
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
