// SPDX-License-Identifier: Apache-2.0
import {
  formatAddress,
  formatPrefix,
  isIpv4,
  isLinkLocal,
  isMartian,
  parseAddress,
  sameBytes,
  UNICAST_RULE,
} from './address.js';
import { checkPrefix } from './check-address.js';
import type { Fields } from './fields.js';
import type { InterfaceKind, TunnelKind } from './model.js';

const CODE = 'ERR_INTERFACE_SPEC';
const ETHERNET_MTU = 1_500;
const DEFAULT_PORT = 4_789;
const DEFAULT_TTL = 64;

/** Keys that are particular to each kind of tunnel. */
export const TUNNEL_KEYS: Readonly<Record<TunnelKind, readonly string[]>> = {
  gre: ['local', 'remote', 'key', 'ttl', 'peers'],
  ipip: ['local', 'remote', 'ttl', 'peers'],
  vxlan: ['local', 'remote', 'vni', 'port', 'ttl', 'peers'],
};

/** What is about queues and devices: a tunnel has neither. */
export const NOT_OF_TUNNELS: readonly string[] = ['checksums', 'worker', 'rss', 'queues'];

export function isTunnel(kind: InterfaceKind): kind is TunnelKind {
  return kind in TUNNEL_KEYS;
}

/** A tunnel that carries packets without an Ethernet header, and so needs no neighbours. */
export function isLayer3(kind: InterfaceKind): boolean {
  return kind === 'gre' || kind === 'ipip';
}

/**
 * Parameters of a tunnel as the engine gets them; defaults are filled in.
 * @throws SluiceError `ERR_INTERFACE_SPEC`
 */
export function checkTunnel(fields: Fields, kind: TunnelKind): Record<string, string> {
  if (!fields.has('local')) {
    const what = `expected our own address, such as 192.0.2.1, found nothing`;
    fields.fail('local', `a ${kind} interface needs local, where its packets come from: ${what}`);
  }
  const local = checkEnd(fields, 'local');
  const parameters: Record<string, string> = { local: formatAddress(local) };
  if (fields.has('remote')) {
    const remote = checkEnd(fields, 'remote');
    refuseOtherFamily(fields, 'remote', remote, local);
    if (sameBytes(remote, local)) {
      fields.fail('remote', `${formatAddress(remote)} is local, too: a tunnel has two ends`);
    }
    parameters['remote'] = formatAddress(remote);
  }
  if (fields.has('peers')) parameters['peers'] = checkPeers(fields, local).join(' ');
  if (kind === 'gre' && fields.has('key')) parameters['key'] = checkKey(fields);
  if (kind === 'vxlan') {
    if (!fields.has('vni')) {
      fields.fail(
        'vni',
        'a vxlan interface needs vni, a number from 0 to 16,777,215, found nothing',
      );
    }
    parameters['vni'] = String(fields.integer('vni', 0, 0xff_ffff, 'a VXLAN network identifier'));
    const port = fields.has('port') ? fields.integer('port', 1, 65_535, 'a port number') : null;
    parameters['port'] = String(port ?? DEFAULT_PORT);
  }
  const ttl = fields.has('ttl') ? fields.integer('ttl', 1, 255, 'a TTL') : DEFAULT_TTL;
  parameters['ttl'] = String(ttl);
  return parameters;
}

/** The largest packet that fits a path of 1,500 bytes with the tunnel's headers around it. */
export function tunnelMtu(kind: TunnelKind, parameters: Readonly<Record<string, string>>): number {
  const ip = isIpv4(parseAddress(parameters['local']!)!) ? 20 : 40;
  const keyed = parameters['key'] === undefined ? 0 : 4;
  const own = { gre: 4 + keyed, ipip: 0, vxlan: 8 + 8 + 14 };
  return ETHERNET_MTU - ip - own[kind];
}

function checkEnd(fields: Fields, key: string): Uint8Array {
  const value = fields.value(key);
  const bytes = typeof value === 'string' ? parseAddress(value) : null;
  if (bytes === null) fields.expected(key, 'an address such as 192.0.2.1 or 2001:db8::1');
  if (isMartian(bytes!) || isLinkLocal(bytes!)) fields.expected(key, UNICAST_RULE);
  return bytes!;
}

function checkPeers(fields: Fields, local: Uint8Array): string[] {
  if (fields.has('remote')) {
    fields.fail('peers', 'a tunnel with a remote has no peers: only the remote may send by it');
  }
  return fields.list('peers', 'networks of those who may send').map((value, index) => {
    const path = `${fields.pathOf('peers')}[${index}]`;
    const prefix = checkPrefix(value, path, CODE, 'a network such as 192.0.2.0/24');
    refuseOtherFamily(fields, 'peers', prefix.bytes, local);
    return formatPrefix(prefix);
  });
}

function refuseOtherFamily(
  fields: Fields,
  key: string,
  bytes: Uint8Array,
  local: Uint8Array,
): void {
  if (isIpv4(bytes) === isIpv4(local)) return;
  fields.expected(key, `an address of the family of local, ${isIpv4(local) ? 'IPv4' : 'IPv6'}`);
}

function checkKey(fields: Fields): string {
  if (fields.value('key') === 'flow') return 'flow';
  if (typeof fields.value('key') === 'string') {
    fields.expected('key', 'a number from 0 to 4,294,967,295, or flow');
  }
  return String(fields.integer('key', 0, 0xffff_ffff, 'a key, or flow'));
}
