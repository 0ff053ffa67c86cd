// SPDX-License-Identifier: Apache-2.0
import { SluiceError } from '../errors.js';
import {
  compareAddresses,
  type Family,
  familyOf,
  formatEndpoint,
  ipv4Number,
  parseAddress,
  parseIpv6,
} from './address.js';
import { checkAddress } from './check-address.js';
import { checkHop, checkVia } from './check-route.js';
import type { CheckedBackend, CheckedHop } from './checked.js';
import { Fields } from './fields.js';
import type { Protocol } from './model.js';

const CODE = 'ERR_MODEL';
const BACKEND_KEYS = [
  ...['address', 'port', 'weight', 'flush', 'ready', 'serving', 'terminating', 'node', 'hints'],
  'through',
];
const THROUGH_KEYS = ['via', 'dev', 'mac'];
const HINT_KEYS = ['zones', 'nodes'];
const NONE: readonly string[] = [];
const NO_HINTS = { zones: NONE, nodes: NONE };

/**
 * Checks the key `backends` of a service port.
 * @param families - that the service has
 * @throws SluiceError `ERR_MODEL`
 */
export function checkBackends(
  fields: Fields,
  path: string,
  protocol: Protocol,
  families: ReadonlySet<Family>,
): CheckedBackend[] {
  const rows = fields.list('backends', 'backends').map((value, index): Row => {
    const at = `${path}.backends[${index}]`;
    const backend = new Fields(value, at, CODE, BACKEND_KEYS);
    const address = checkAddress(backend.value('address'), `${at}.address`, CODE);
    const family = familyOf(address);
    if (!families.has(family)) {
      backend.fail('address', `${address} is IPv${family} and the service has no such address`);
    }
    const checked = checkBackend(backend, address, family, protocol);
    const isIpv4 = family === 4;
    return {
      index,
      checked,
      number: isIpv4 ? ipv4Number(address) : -1,
      bytes: isIpv4 ? null : parseIpv6(address),
    };
  });
  refuseMixed(rows, path);
  if (!isOrdered(rows)) rows.sort((a, b) => compare(a, b) || a.index - b.index);
  for (let i = 1; i < rows.length; i++) {
    const a = rows[i - 1]!;
    const b = rows[i]!;
    if (a.checked.address !== b.checked.address || a.checked.port !== b.checked.port) continue;
    const endpoint = formatEndpoint(b.checked.address, b.checked.port);
    const message =
      `${endpoint} is backends[${a.index}] already; ` +
      'leave one out, or give one of them a greater weight';
    throw new SluiceError(CODE, message, { path: `${path}.backends[${b.index}]` });
  }
  return rows.map((row) => row.checked);
}

/** A backend, and what it is put in order by. */
interface Row {
  readonly index: number;
  readonly checked: CheckedBackend;
  /** IPv4 as a number; -1: it is IPv6. */
  readonly number: number;
  /** 16 bytes of IPv6. */
  readonly bytes: Uint8Array | null;
}

/** By the bytes of the address, then by port. */
function compare(a: Row, b: Row): number {
  const byAddress =
    a.bytes === null && b.bytes === null
      ? a.number - b.number
      : compareAddresses(bytesOf(a), bytesOf(b));
  return byAddress || a.checked.port - b.checked.port;
}

function bytesOf({ bytes, checked }: Row): Uint8Array {
  return bytes ?? parseAddress(checked.address)!;
}

/** Most are, and sorting is not for nothing. */
function isOrdered(rows: readonly Row[]): boolean {
  return rows.every((row, place) => place === 0 || compare(rows[place - 1]!, row) <= 0);
}

function refuseMixed(rows: readonly Row[], path: string): void {
  const first = rows[0];
  if (first === undefined) return;
  const isThrough = first.checked.through !== null;
  const odd = rows.find(({ checked }) => (checked.through !== null) !== isThrough);
  if (odd === undefined) return;
  const message =
    'packets go to all backends of a service port as they came, or to none of them: ' +
    'give each of them through, or none';
  throw new SluiceError(CODE, message, { path: `${path}.backends[${odd.index}].through` });
}

/** The key `port` of a service port or a backend that packets are addressed to: echo has none. */
export function checkPort(fields: Fields, protocol: Protocol): number {
  if (protocol !== 'ICMP') return fields.integer('port', 1, 65_535, 'a port number');
  if (fields.has('port') && fields.value('port') !== 0) {
    fields.expected('port', 'no port, or 0 (the protocol is ICMP)');
  }
  return 0;
}

function checkThrough(backend: Fields, family: Family): CheckedHop {
  const value = backend.value('through');
  const fields = new Fields(value, backend.pathOf('through'), CODE, THROUGH_KEYS);
  const via = fields.has('via') ? checkVia(fields) : null;
  return checkHop(fields, via, family === 4);
}

function checkBackend(
  backend: Fields,
  address: string,
  family: Family,
  protocol: Protocol,
): CheckedBackend {
  const through = backend.has('through') ? checkThrough(backend, family) : null;
  const isKey = through !== null && (backend.value('port') ?? 0) === 0;
  const port = isKey ? 0 : checkPort(backend, protocol);
  const ready = flag(backend, 'ready', true);
  const hints = backend.has('hints') ? checkHints(backend) : NO_HINTS;
  return {
    address,
    family,
    port,
    weight: backend.has('weight') ? backend.integer('weight', 0, 65_535, 'a weight') : 1,
    flush: flag(backend, 'flush', false),
    ready,
    serving: flag(backend, 'serving', ready),
    terminating: flag(backend, 'terminating', false),
    node: backend.has('node') ? backend.string('node', 'the name of a node') : null,
    zoneHints: hints.zones,
    nodeHints: hints.nodes,
    through,
  };
}

function flag(backend: Fields, key: string, otherwise: boolean): boolean {
  return backend.has(key) ? backend.boolean(key) : otherwise;
}

function checkHints(backend: Fields): { zones: readonly string[]; nodes: readonly string[] } {
  const hints = new Fields(backend.value('hints'), backend.pathOf('hints'), CODE, HINT_KEYS);
  return {
    zones: hints.has('zones') ? hints.strings('zones', 'zones') : NONE,
    nodes: hints.has('nodes') ? hints.strings('nodes', 'nodes') : NONE,
  };
}
