// SPDX-License-Identifier: Apache-2.0
import { SluiceError } from '../errors.js';
import {
  compareAddresses,
  type Family,
  familyOf,
  formatAddress,
  formatEndpoint,
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
  const rows = fields.list('backends', 'backends').map((value, index) => {
    const at = `${path}.backends[${index}]`;
    const backend = new Fields(value, at, CODE, BACKEND_KEYS);
    const bytes = checkAddress(backend.value('address'), `${at}.address`, CODE);
    const address = formatAddress(bytes);
    const family = familyOf(address);
    if (!families.has(family)) {
      backend.fail('address', `${address} is IPv${family} and the service has no such address`);
    }
    const through = backend.has('through') ? checkThrough(backend, family) : null;
    const isKey = through !== null && (backend.value('port') ?? 0) === 0;
    const port = isKey ? 0 : checkPort(backend, protocol);
    return { index, bytes, checked: { address, family, port, ...checkState(backend), through } };
  });
  const odd = rows.find(({ checked }) => (checked.through === null) !== !hasThrough(rows[0]));
  if (odd !== undefined) {
    const message =
      'packets go to all backends of a service port as they came, or to none of them: ' +
      'give each of them through, or none';
    throw new SluiceError(CODE, message, { path: `${path}.backends[${odd.index}].through` });
  }
  rows.sort(
    (a, b) =>
      compareAddresses(a.bytes, b.bytes) || a.checked.port - b.checked.port || a.index - b.index,
  );
  for (let i = 1; i < rows.length; i++) {
    const [a, b] = [rows[i - 1]!, rows[i]!];
    if (a.checked.address !== b.checked.address || a.checked.port !== b.checked.port) continue;
    const endpoint = formatEndpoint(b.checked.address, b.checked.port);
    const message =
      `${endpoint} is backends[${a.index}] already; ` +
      'leave one out, or give one of them a greater weight';
    throw new SluiceError(CODE, message, { path: `${path}.backends[${b.index}]` });
  }
  return rows.map((row) => row.checked);
}

/** The key `port` of a service port or a backend that packets are addressed to: echo has none. */
export function checkPort(fields: Fields, protocol: Protocol): number {
  if (protocol !== 'ICMP') return fields.integer('port', 1, 65_535, 'a port number');
  if (fields.has('port') && fields.value('port') !== 0) {
    fields.expected('port', 'no port, or 0 (the protocol is ICMP)');
  }
  return 0;
}

function hasThrough(row: { checked: CheckedBackend } | undefined): boolean {
  return row !== undefined && row.checked.through !== null;
}

function checkThrough(backend: Fields, family: Family): CheckedHop {
  const value = backend.value('through');
  const fields = new Fields(value, backend.pathOf('through'), CODE, THROUGH_KEYS);
  const via = fields.has('via') ? checkVia(fields) : null;
  return checkHop(fields, via, family === 4);
}

type State = Omit<CheckedBackend, 'address' | 'family' | 'port' | 'through'>;

function checkState(backend: Fields): State {
  const flag = (key: string, otherwise: boolean): boolean =>
    backend.has(key) ? backend.boolean(key) : otherwise;
  const hints = backend.has('hints') ? checkHints(backend) : { zones: NONE, nodes: NONE };
  const ready = flag('ready', true);
  return {
    weight: backend.has('weight') ? backend.integer('weight', 0, 65_535, 'a weight') : 1,
    flush: flag('flush', false),
    ready,
    serving: flag('serving', ready),
    terminating: flag('terminating', false),
    node: backend.has('node') ? backend.string('node', 'the name of a node') : null,
    zoneHints: hints.zones,
    nodeHints: hints.nodes,
  };
}

function checkHints(backend: Fields): { zones: readonly string[]; nodes: readonly string[] } {
  const hints = new Fields(backend.value('hints'), backend.pathOf('hints'), CODE, HINT_KEYS);
  return {
    zones: hints.has('zones') ? hints.strings('zones', 'zones') : NONE,
    nodes: hints.has('nodes') ? hints.strings('nodes', 'nodes') : NONE,
  };
}
