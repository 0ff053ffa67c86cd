// SPDX-License-Identifier: Apache-2.0
import { SluiceError } from '../errors.js';
import {
  formatAddress,
  formatPrefix,
  ipv4Number,
  isIpv4,
  isMartian,
  networkOf,
  parseMac,
  parsePrefix,
} from './address.js';
import type { CheckedInterface, CheckedInterfaceAddress } from './checked.js';
import { join, listOf, nearest, show } from './explain.js';
import { Fields } from './fields.js';
import { INTERFACE_KINDS, type InterfaceKind } from './model.js';

const CODE = 'ERR_INTERFACE_SPEC';

/** Keys that interfaces of every kind may have. */
const COMMON_KEYS = ['kind', 'name', 'addresses', 'mac', 'mtu', 'worker'];

/** Keys that are particular to a kind. */
const KIND_KEYS: Readonly<Record<InterfaceKind, readonly string[]>> = {
  memif: ['socket', 'role', 'id', 'secret'],
  'vhost-user': ['socket', 'role'],
  'virtio-user': ['socket'],
  tap: ['netns', 'device'],
  af_packet: ['device'],
  pcap: ['rx', 'tx'],
  memory: [],
};

const ROLES = ['server', 'client'] as const;
const MAX_SOCKET_BYTES = 107;

/** Every key of an interface specification. */
export const INTERFACE_KEYS: readonly string[] = [
  ...new Set([...COMMON_KEYS, ...Object.values(KIND_KEYS).flat()]),
];

/** @throws SluiceError `ERR_INTERFACE_SPEC` */
export function checkInterfaces(values: readonly unknown[], path: string): CheckedInterface[] {
  const interfaces = values.map((value, index) => checkInterface(value, `${path}[${index}]`));
  refuseSharedNames(interfaces, path);
  refuseSharedSockets(interfaces, path);
  refuseSharedNetworks(interfaces, path);
  return interfaces;
}

/**
 * Checks one interface specification by itself.
 * @param pathOf - how keys and addresses are named in errors; default as in the model
 * @throws SluiceError `ERR_INTERFACE_SPEC`
 */
export function checkInterface(
  value: unknown,
  path: string,
  pathOf?: (key: string) => string,
): CheckedInterface {
  const fields = new Fields(value, path, CODE, INTERFACE_KEYS, pathOf);
  const kind = fields.oneOf('kind', INTERFACE_KINDS);
  const name = fields.string('name', 'a name of 1 to 15 characters');
  if (!isDeviceName(name)) {
    fields.expected('name', 'a name of 1 to 15 characters out of A-Z a-z 0-9 . _ -');
  }
  refuseForeignKeys(fields, kind);
  const mac = fields.has('mac') ? checkMac(fields) : null;
  const mtu = fields.has('mtu') ? fields.integer('mtu', 576, 9_000, 'bytes') : 1_500;
  const worker = fields.has('worker') ? fields.integer('worker', 0, 127, 'a worker') : null;
  const parameters = checkParameters(fields, kind, name);
  return { kind, name, addresses: checkAddresses(fields), mac, mtu, worker, parameters };
}

/** Checks the key `mac`: 6 bytes of a unicast MAC. */
export function checkMac(fields: Fields): Uint8Array {
  const text = fields.value('mac');
  const mac = typeof text === 'string' ? parseMac(text) : null;
  if (mac === null) fields.expected('mac', 'a MAC such as 02:00:00:00:00:01');
  if ((mac![0]! & 1) === 1 || mac!.every((byte) => byte === 0)) {
    fields.expected('mac', 'a unicast MAC (an even first byte, not all zero)');
  }
  return mac!;
}

function refuseForeignKeys(fields: Fields, kind: InterfaceKind): void {
  for (const key of INTERFACE_KEYS) {
    if (!fields.has(key) || COMMON_KEYS.includes(key) || KIND_KEYS[kind].includes(key)) continue;
    const own = KIND_KEYS[kind];
    const owners = INTERFACE_KINDS.filter((other) => KIND_KEYS[other].includes(key));
    const meant = nearest(key, own);
    fields.fail(
      key,
      `${kind} interfaces have no ${key}, which belongs to ${listOf(owners)}; ` +
        `keys of ${kind}: ${own.length === 0 ? 'none' : own.join(', ')}` +
        (meant === null ? '' : `; did you mean ${meant}?`),
    );
  }
}

function checkParameters(
  fields: Fields,
  kind: InterfaceKind,
  name: string,
): Readonly<Record<string, string>> {
  const parameters: Record<string, string> = {};
  if (KIND_KEYS[kind].includes('socket')) {
    parameters['socket'] = checkSocket(fields, kind);
    if (KIND_KEYS[kind].includes('role')) {
      parameters['role'] = fields.has('role') ? fields.oneOf('role', ROLES) : 'server';
    }
  }
  if (kind === 'memif') {
    const id = fields.has('id') ? fields.integer('id', 0, 65_535, 'an interface id') : 0;
    parameters['id'] = String(id);
    if (fields.has('secret')) {
      const secret = checkText(fields, 'secret', 'a secret of 1 to 24 characters');
      if (Buffer.byteLength(secret) > 24) {
        fields.fail('secret', `expected at most 24 bytes, found ${Buffer.byteLength(secret)}`);
      }
      parameters['secret'] = secret;
    }
  }
  if (kind === 'tap' || kind === 'af_packet') {
    parameters['device'] = fields.has('device') ? checkDevice(fields) : name;
    if (!fields.has('device') && !isKernelName(name)) fields.expected('name', 'a device name');
  }
  if (fields.has('netns')) parameters['netns'] = checkNetns(fields);
  if (kind === 'pcap') {
    if (!fields.has('rx') && !fields.has('tx')) {
      fields.fail('rx', 'a pcap interface needs rx (file to read), tx (file to write) or both');
    }
    for (const key of ['rx', 'tx']) {
      if (fields.has(key)) parameters[key] = checkText(fields, key, 'the path of a pcap file');
    }
    if (parameters['rx'] !== undefined && parameters['rx'] === parameters['tx']) {
      fields.fail('tx', 'rx and tx are the same file; write to another one');
    }
  }
  return parameters;
}

function checkSocket(fields: Fields, kind: InterfaceKind): string {
  const what = 'the absolute path of a Unix socket, such as /run/sluice/up.sock';
  if (!fields.has('socket')) {
    fields.fail('socket', `a ${kind} interface needs a socket: expected ${what}, found nothing`);
  }
  const socket = checkText(fields, 'socket', what);
  if (!socket.startsWith('/')) fields.expected('socket', what);
  const bytes = Buffer.byteLength(socket);
  if (bytes > MAX_SOCKET_BYTES) {
    fields.fail(
      'socket',
      `expected at most ${MAX_SOCKET_BYTES} bytes (the system's limit for Unix sockets is 108 with ` +
        `the closing zero), found ${bytes}`,
    );
  }
  return socket;
}

/** Commas part the keys of specs and of DPDK's device arguments; control characters hide things. */
function checkText(fields: Fields, key: string, what: string): string {
  const text = fields.string(key, what);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is refused
  if (/[,\u0000-\u001f\u007f]/.test(text)) {
    fields.expected(key, `${what} without commas and control characters`);
  }
  return text;
}

function checkDevice(fields: Fields): string {
  const device = fields.string('device', 'the name of a network device');
  if (!isKernelName(device)) {
    fields.expected('device', 'a device name of 1 to 15 characters without "/", ":" and spaces');
  }
  return device;
}

function checkNetns(fields: Fields): string {
  const what = 'a name of `ip netns` or an absolute path such as /proc/1234/ns/net';
  const netns = checkText(fields, 'netns', what);
  const isName = !netns.includes('/') && netns.length <= 255 && netns !== '.' && netns !== '..';
  if (!netns.startsWith('/') && !isName) fields.expected('netns', what);
  return netns;
}

function checkAddresses(fields: Fields): CheckedInterfaceAddress[] {
  if (!fields.has('addresses')) return [];
  const values = fields.list('addresses', 'addresses with prefix lengths');
  const addresses = values.map((value, index) =>
    checkInterfaceAddress(value, `${fields.pathOf('addresses')}[${index}]`),
  );
  return addresses;
}

function checkInterfaceAddress(value: unknown, path: string): CheckedInterfaceAddress {
  const prefix = typeof value === 'string' ? parsePrefix(value) : null;
  if (prefix === null || !isIpv4(prefix.bytes)) {
    const hint = prefix === null ? '' : '; IPv6 is not carried';
    const what = 'an IPv4 address with its prefix length, such as 10.0.0.1/24';
    refuse(path, `expected ${what}, found ${show(value)}${hint}`);
  }
  if (isMartian(prefix.bytes)) {
    refuse(
      path,
      `expected a unicast address outside 0.0.0.0/8, 127.0.0.0/8 and 224.0.0.0/3, found ${show(value)}`,
    );
  }
  const hostBits = 32 - prefix.length;
  if (hostBits >= 2) {
    const size = 2 ** hostBits;
    const host = ipv4Number(prefix.bytes) % size;
    if (host === 0 || host === size - 1) {
      const kind = host === 0 ? 'the network itself' : 'its broadcast address';
      refuse(path, `expected the address of a host, found ${show(value)}, which is ${kind}`);
    }
  }
  return { text: formatPrefix(prefix), bytes: prefix.bytes, length: prefix.length };
}

function refuseSharedNames(interfaces: readonly CheckedInterface[], path: string): void {
  const names = new Map<string, number>();
  interfaces.forEach(({ name }, index) => {
    const same = names.get(name);
    if (same !== undefined) {
      const at = join(`${path}[${index}]`, 'name');
      refuse(at, `${show(name)} is the name of ${path}[${same}]; names must differ`);
    }
    names.set(name, index);
  });
}

function refuseSharedSockets(interfaces: readonly CheckedInterface[], path: string): void {
  const sockets = new Map<string, number>();
  interfaces.forEach(({ kind, parameters }, index) => {
    const socket = parameters['socket'];
    if (socket === undefined) return;
    const first = sockets.get(socket);
    sockets.set(socket, first ?? index);
    if (first === undefined) return;
    const at = join(`${path}[${index}]`, 'socket');
    const other = interfaces[first]!;
    if (kind !== 'memif' || other.kind !== 'memif') {
      refuse(at, `${socket} is the socket of ${path}[${first}]; give each its own`);
    }
    if (parameters['role'] !== other.parameters['role']) {
      refuse(at, `${path}[${first}] uses ${socket} in the other role; give each its own socket`);
    }
    const twin = interfaces.findIndex(
      (candidate) =>
        candidate.parameters['socket'] === socket &&
        candidate.parameters['id'] === parameters['id'],
    );
    if (twin < index) {
      refuse(
        join(`${path}[${index}]`, 'id'),
        `${path}[${twin}] has id ${parameters['id']} on ${socket} already; give each its own id`,
      );
    }
  });
}

function refuseSharedNetworks(interfaces: readonly CheckedInterface[], path: string): void {
  const hosts = new Map<string, string>();
  const networks = new Map<string, { index: number; name: string }>();
  interfaces.forEach(({ name, addresses }, index) => {
    addresses.forEach((address, position) => {
      const at = `${path}[${index}].addresses[${position}]`;
      const host = formatAddress(address.bytes);
      const holder = hosts.get(host);
      if (holder !== undefined) refuse(at, `${host} is given already at ${holder}`);
      hosts.set(host, at);
      if (address.length === 32) return;
      const network = formatPrefix(networkOf(address));
      const other = networks.get(network);
      if (other !== undefined && other.index !== index) {
        refuse(
          at,
          `network ${network} is on interface ${other.name} already; ` +
            `give one of them a longer prefix, such as ${host}/32`,
        );
      }
      networks.set(network, { index, name });
    });
  });
}

function isDeviceName(text: string): boolean {
  return /^[A-Za-z0-9._-]{1,15}$/.test(text);
}

function isKernelName(text: string): boolean {
  return /^[^\s/:,]{1,15}$/.test(text) && text !== '.' && text !== '..';
}

function refuse(path: string, message: string): never {
  throw new SluiceError(CODE, message, { path });
}
