// SPDX-License-Identifier: Apache-2.0
import { SluiceError } from '../errors.js';
import {
  formatPrefix,
  hostLength,
  isIpv4,
  isLinkLocal,
  isMartian,
  networkOf,
  type Prefix,
  parseMac,
  parsePrefix,
  sameBytes,
  UNICAST_RULE,
} from './address.js';
import { checkSenders } from './check-senders.js';
import { checkTunnel, isTunnel, NOT_OF_TUNNELS, TUNNEL_KEYS, tunnelMtu } from './check-tunnel.js';
import type { CheckedInterface, CheckedInterfaceAddress } from './checked.js';
import { listOf, nearest, show } from './explain.js';
import { Fields } from './fields.js';
import {
  CHECKSUMS,
  INTERFACE_KINDS,
  INTERFACE_SCOPES,
  type InterfaceKind,
  KERNEL_VIEWS,
  RSS,
} from './model.js';

const CODE = 'ERR_INTERFACE_SPEC';

/** Keys that interfaces of every kind may have. */
const COMMON_KEYS = [
  'kind',
  'name',
  'addresses',
  'scope',
  'checksums',
  'mac',
  'sources',
  'pod',
  'mtu',
  'worker',
  'rss',
];

/** Kinds whose peer is a kernel or a guest that may leave checksums to the device. */
const OFFLOADING_KINDS: readonly InterfaceKind[] = ['af_packet', 'vhost-user', 'virtio-user'];

/** Keys that are particular to a kind. */
const KIND_KEYS: Readonly<Record<InterfaceKind, readonly string[]>> = {
  memif: ['socket', 'role', 'id', 'secret', 'queues'],
  'vhost-user': ['socket', 'role', 'queues'],
  'virtio-user': ['socket', 'queues'],
  tap: ['netns', 'device', 'queues'],
  af_packet: ['device', 'kernel', 'queues'],
  pcap: ['rx', 'tx'],
  memory: [],
  ...TUNNEL_KEYS,
};

const ROLES = ['server', 'client'] as const;
/** Longest path of a Unix socket; the system cuts longer ones off without a word. */
export const MAX_SOCKET_BYTES = 107;

/** Every key of an interface specification. */
export const INTERFACE_KEYS: readonly string[] = [
  ...new Set([...COMMON_KEYS, ...Object.values(KIND_KEYS).flat()]),
];

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
  const worker = fields.has('worker') ? fields.integer('worker', 0, 127, 'a worker') : null;
  const queues = fields.has('queues') ? fields.integer('queues', 1, 64, 'queues') : 1;
  const usual = fields.has('pod') ? 'pod' : 'outside';
  const scope = fields.has('scope') ? fields.oneOf('scope', INTERFACE_SCOPES) : usual;
  const unfinishedChecksums = fields.has('checksums')
    ? fields.oneOf('checksums', CHECKSUMS) === 'unfinished'
    : OFFLOADING_KINDS.includes(kind);
  const parameters = isTunnel(kind)
    ? checkTunnel(fields, kind)
    : checkParameters(fields, kind, name);
  const usualMtu = isTunnel(kind) ? tunnelMtu(kind, parameters) : 1_500;
  const mtu = fields.has('mtu') ? fields.integer('mtu', 576, 9_000, 'bytes') : usualMtu;
  return {
    kind,
    name,
    addresses: checkAddresses(fields),
    scope,
    unfinishedChecksums,
    mac,
    ...checkSenders(fields),
    mtu,
    worker,
    queues,
    softwareRss: checkRss(fields, queues),
    parameters,
  };
}

/** Checks the key `mac`: 6 bytes of a unicast MAC. */
export function checkMac(fields: Fields, key = 'mac'): Uint8Array {
  const text = fields.value(key);
  const mac = typeof text === 'string' ? parseMac(text) : null;
  if (mac === null) fields.expected(key, 'a MAC such as 02:00:00:00:00:01');
  if ((mac![0]! & 1) === 1 || mac!.every((byte) => byte === 0)) {
    fields.expected(key, 'a unicast MAC (an even first byte, not all zero)');
  }
  return mac!;
}

function checkRss(fields: Fields, queues: number): boolean {
  if (!fields.has('rss') || fields.oneOf('rss', RSS) === 'off') return false;
  if (queues > 1) {
    fields.fail('rss', 'software RSS is for interfaces with one queue: leave rss or queues out');
  }
  return true;
}

function refuseForeignKeys(fields: Fields, kind: InterfaceKind): void {
  for (const key of isTunnel(kind) ? NOT_OF_TUNNELS : []) {
    if (!fields.has(key)) continue;
    fields.fail(key, `a tunnel has no ${key}: its packets come in those of other interfaces`);
  }
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
  if (kind === 'af_packet') {
    parameters['kernel'] = fields.has('kernel') ? fields.oneOf('kernel', KERNEL_VIEWS) : 'sees';
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
  if (prefix === null) {
    const what = 'an address with its prefix length, such as 10.0.0.1/24 or fd00::1/64';
    refuse(path, `expected ${what}, found ${show(value)}`);
  }
  if (isLinkLocal(prefix.bytes)) {
    const message = `${show(value)} is link-local; every interface has such an address, made of its MAC`;
    refuse(path, message);
  }
  if (isMartian(prefix.bytes)) refuse(path, `expected ${UNICAST_RULE}, found ${show(value)}`);
  const kind = nameOfNoHost(prefix);
  if (kind !== null) {
    refuse(path, `expected the address of a host, found ${show(value)}, which is ${kind}`);
  }
  return { text: formatPrefix(prefix), bytes: prefix.bytes, length: prefix.length };
}

/** What the first and, in IPv4, the last address of a network are; two hosts need no such. */
function nameOfNoHost(prefix: Prefix): string | null {
  const size = hostLength(prefix.bytes);
  if (size - prefix.length < 2) return null;
  const network = networkOf(prefix).bytes;
  if (sameBytes(prefix.bytes, network)) return 'the network itself';
  if (!isIpv4(prefix.bytes)) return null;
  const inverted = prefix.bytes.map((byte, index) => (index < 12 ? byte : byte ^ 0xff));
  const first = networkOf({ bytes: inverted, length: prefix.length }).bytes;
  return sameBytes(inverted, first) ? 'its broadcast address' : null;
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
