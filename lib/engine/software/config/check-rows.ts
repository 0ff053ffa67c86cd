// SPDX-License-Identifier: Apache-2.0
import type { PrefixColumns, ProgramDelta } from '../../../compile/program.js';
import { type ErrorCode, SluiceError } from '../../../errors.js';
import { addressOfRow, isIpv4, isZero, maskOf, networkOf } from '../base/address.js';

/** Slots of frontends, pools and services lie below this in either engine. */
export const MAX_SLOTS = 2 ** 20;

/** Columns that hold an address have this many bytes a row. */
export const ADDRESS_BYTES = 16;

type Column = Uint8Array | Uint16Array | Uint32Array;
type ColumnType = Uint8ArrayConstructor | Uint16ArrayConstructor | Uint32ArrayConstructor;
type ColumnTypes = Readonly<Record<string, ColumnType>>;

const PREFIX: ColumnTypes = { prefix: Uint8Array, length: Uint8Array };

// In the order of PROGRAM_COLUMNS; a list has a type of its own instead of columns.
const TYPES: Readonly<Record<keyof ProgramDelta, ColumnTypes | ColumnType>> = {
  frontends: {
    slot: Uint32Array,
    address: Uint8Array,
    port: Uint16Array,
    protocol: Uint8Array,
    kind: Uint8Array,
    service: Uint32Array,
    podPool: Uint32Array,
    nodePool: Uint32Array,
    outsidePool: Uint32Array,
    masquerade: Uint8Array,
    affinity: Uint32Array,
    rangesFirst: Uint32Array,
    rangesCount: Uint32Array,
  },
  ranges: PREFIX,
  removedFrontends: Uint32Array,
  backends: {
    slot: Uint32Array,
    address: Uint8Array,
    port: Uint16Array,
    service: Uint32Array,
    flushed: Uint8Array,
  },
  removedBackends: Uint32Array,
  pools: { slot: Uint32Array, first: Uint32Array, count: Uint32Array, silent: Uint8Array },
  members: { backend: Uint32Array, weight: Uint16Array },
  removedPools: Uint32Array,
  groups: { slot: Uint32Array, first: Uint32Array, count: Uint32Array },
  nextHops: {
    interface: Uint16Array,
    gateway: Uint8Array,
    mac: Uint8Array,
    key: Uint32Array,
    weight: Uint8Array,
  },
  removedGroups: Uint32Array,
  routes: { ...PREFIX, group: Uint32Array },
  removedRoutes: PREFIX,
  addresses: { interface: Uint16Array, address: Uint8Array, length: Uint8Array },
  scopes: { interface: Uint16Array, scope: Uint8Array },
  podNetworks: PREFIX,
  serviceNetworks: PREFIX,
  sources: { interface: Uint16Array, ...PREFIX },
  ruleSets: { slot: Uint32Array, first: Uint32Array, count: Uint32Array },
  rules: {
    selector: Uint32Array,
    protocol: Uint8Array,
    portFirst: Uint16Array,
    portLast: Uint16Array,
    action: Uint8Array,
    tier: Uint8Array,
    rule: Uint32Array,
  },
  removedRuleSets: Uint32Array,
  identities: {
    slot: Uint32Array,
    ingress: Uint32Array,
    egress: Uint32Array,
    first: Uint32Array,
    count: Uint32Array,
  },
  memberships: { selector: Uint32Array },
  removedIdentities: Uint32Array,
  identityNetworks: { ...PREFIX, identity: Uint32Array },
  removedIdentityNetworks: PREFIX,
};

const MAY_BE_NULL: readonly string[] = [
  'addresses',
  'scopes',
  'podNetworks',
  'serviceNetworks',
  'sources',
];

/** @throws SluiceError; `path` is `table.column`, or a row of it */
export function refuse(path: string, message: string, code: ErrorCode = 'ERR_PROGRAM'): never {
  throw new SluiceError(code, message, { path });
}

/** @throws SluiceError `ERR_PROGRAM` for the first column of a wrong type, or that is not there */
export function checkTypes(delta: ProgramDelta): void {
  for (const [name, types] of Object.entries(TYPES)) {
    const given: unknown = delta[name as keyof ProgramDelta];
    if (given === null && MAY_BE_NULL.includes(name)) continue;
    if (typeof types === 'function') {
      checkType(name, given, types);
      continue;
    }
    if (typeof given !== 'object' || given === null) refuse(name, 'must be a table');
    for (const [column, type] of Object.entries(types)) {
      checkType(`${name}.${column}`, (given as Record<string, unknown>)[column], type);
    }
  }
}

function checkType(path: string, given: unknown, type: ColumnType): void {
  if (!(given instanceof type)) refuse(path, `must be a ${type.name}`);
}

/**
 * Holds the columns of a table to one number of rows.
 * @param rows - of the column that counts
 * @param columns - the others, with how many elements a row has
 */
export function checkRows(
  table: string,
  rows: number,
  columns: readonly (readonly [name: string, values: Column, width: number])[],
): void {
  for (const [name, { length }, width] of columns) {
    if (length !== rows * width) {
      refuse(`${table}.${name}`, `has ${length} elements, ${rows} rows are ${rows * width}`);
    }
  }
}

/** A slot of a table, each given once. */
export function checkSlot(
  path: string,
  slot: number,
  row: number,
  seen: Set<number>,
  limit: number,
): void {
  checkBelow(path, slot, row, limit);
  if (seen.has(slot)) refuse(`${path}[${row}]`, `${slot} is there twice`);
  seen.add(slot);
}

/** Rows of another table that a row refers to. */
export function checkSpan(
  table: string,
  other: string,
  first: number,
  count: number,
  at: { row: number; rows: number; first: string; count: string },
): void {
  if (count === 0) return;
  if (first >= at.rows) {
    refuse(`${table}.${at.first}[${at.row}]`, `is beyond the ${at.rows} rows of ${other}`);
  }
  if (first + count > at.rows) {
    refuse(`${table}.${at.count}[${at.row}]`, `reaches beyond the ${at.rows} rows of ${other}`);
  }
}

/** No row refers to it. */
export const NO_OWNER = -1;

/**
 * As {@link checkSpan}, of rows that nobody else refers to.
 * @param owner - takes, for each row of the other table, the row that refers to it
 */
export function takeSpan(
  table: string,
  other: string,
  columns: { first: Uint32Array; count: Uint32Array },
  row: number,
  owner: Int32Array,
): void {
  const first = columns.first[row];
  const count = columns.count[row];
  checkSpan(table, other, first, count, {
    row,
    rows: owner.length,
    first: 'first',
    count: 'count',
  });
  for (let taken = first; taken < first + count; taken++) {
    if (owner[taken] !== NO_OWNER) refuse(`${table}.first[${row}]`, 'overlaps with another one');
    owner[taken] = row;
  }
}

/** What an engine has room for. */
export function checkBelow(path: string, value: number, row: number, limit: number): void {
  if (value >= limit) refuse(`${path}[${row}]`, `${value} is not below ${limit}`, 'ERR_CAPACITY');
}

export function checkAtMost(path: string, value: number, row: number, most: number): void {
  if (value > most) refuse(`${path}[${row}]`, `${value} is above ${most}`);
}

/** IPv4 mapped, or IPv6 and not `::`. */
export function checkAddress(path: string, addresses: Uint8Array, row: number): void {
  if (isZero(addressOfRow(addresses, row))) refuse(`${path}[${row}]`, 'is no address');
}

export function checkInterface(
  path: string,
  slot: number,
  row: number,
  { hasInterface }: { hasInterface(slot: number): boolean },
): void {
  if (!hasInterface(slot)) refuse(`${path}[${row}]`, `there is no interface ${slot}`);
}

/** A length in the range of the address's family. */
export function checkLength(
  path: string,
  lengths: Uint8Array,
  address: Int32Array,
  row: number,
): void {
  checkAtMost(path, lengths[row], row, isIpv4(address) ? 32 : 128);
}

/** A prefix of either family without host bits. */
export function checkPrefix(table: string, { prefix, length }: PrefixColumns, row: number): void {
  const address = addressOfRow(prefix, row);
  checkLength(`${table}.length`, length, address, row);
  const { bits } = networkOf(address, length[row]);
  if (address.some((word, i) => (word & ~maskOf(bits, i)) !== 0)) {
    refuse(`${table}.prefix[${row}]`, `has bits set behind the first ${length[row]}`);
  }
}

/** A whole table of prefixes. */
export function checkPrefixes(table: string, columns: PrefixColumns): void {
  const rows = columns.length.length;
  checkRows(table, rows, [['prefix', columns.prefix, ADDRESS_BYTES]]);
  for (let row = 0; row < rows; row++) checkPrefix(table, columns, row);
}
