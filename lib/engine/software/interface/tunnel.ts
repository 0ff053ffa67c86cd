// SPDX-License-Identifier: Apache-2.0
import { isIP } from 'node:net';
import type { InterfaceRequest } from '../../../compile/program.js';
import { SluiceError } from '../../../errors.js';
import { isIpv4, type Network, networkOf, readAddress, readIpv4 } from '../base/address.js';
import type { Tunnel, TunnelKind } from '../table/tunnels.js';
import type { SoftwareInterface } from './interface.js';

/** A tunnel as an interface: its packets are found in those of others. Up as long as it is there. */
export class TunnelInterface implements SoftwareInterface {
  readonly up = true;
  readonly hasInput = false;
  readonly unfinishedChecksums = false;
  readonly mtu: number;

  constructor(
    readonly mac: Uint8Array,
    readonly tunnel: Tunnel,
  ) {
    this.mtu = tunnel.mtu;
  }

  receive(): number {
    return 0;
  }

  transmit(): boolean {
    return false;
  }

  close(): void {}
}

export function isTunnelKind(kind: string): kind is TunnelKind {
  return kind === 'gre' || kind === 'ipip' || kind === 'vxlan';
}

/** @throws SluiceError `ERR_INTERFACE`, with the parameter as path */
export function readTunnel({ slot, kind, mtu, parameters }: InterfaceRequest): Tunnel {
  const number = (key: string, otherwise: string, least: number, most: number): number => {
    const text = parameters[key] ?? otherwise;
    const value = /^[0-9]+$/.test(text) ? Number(text) : Number.NaN;
    return value >= least && value <= most ? value : refuse(key, text);
  };
  const { local: localText = '', remote: remoteText, peers: peerTexts = '' } = parameters;
  const local = addressOf(localText) ?? refuse('local', localText);
  const ofFamily = (text: string) => {
    const found = addressOf(text);
    return found !== undefined && isIpv4(found) === isIpv4(local) ? found : undefined;
  };
  const remote =
    remoteText === undefined
      ? new Int32Array(4)
      : (ofFamily(remoteText) ?? refuse('remote', remoteText));
  const peers = peerTexts
    .split(' ')
    .filter((text) => text !== '')
    .map((text) => prefixOf(text, ofFamily) ?? refuse('peers', peerTexts));
  if (remoteText !== undefined && peers.length > 0) refuse('peers', peerTexts);
  const isVxlan = kind === 'vxlan';
  const keyText = kind === 'gre' ? parameters['key'] : undefined;
  const key =
    keyText === undefined || keyText === 'flow'
      ? (keyText ?? null)
      : number('key', '', 0, 0xffff_ffff) | 0;
  return {
    slot,
    kind: kind as TunnelKind,
    key,
    vni: isVxlan ? number('vni', '', 0, 0xff_ffff) : 0,
    port: isVxlan ? number('port', '4789', 1, 0xffff) : 0,
    ttl: number('ttl', '64', 1, 255),
    mtu,
    isIpv4: isIpv4(local),
    local,
    remote,
    hasRemote: remoteText !== undefined,
    peers,
    isLayer3: !isVxlan,
  };
}

function prefixOf(
  text: string,
  read: (text: string) => Int32Array | undefined,
): Network | undefined {
  const [head = '', length = ''] = text.split('/');
  const address = read(head);
  if (address === undefined || !/^[0-9]{1,3}$/.test(length)) return undefined;
  return Number(length) > (isIpv4(address) ? 32 : 128)
    ? undefined
    : networkOf(address, Number(length));
}

function addressOf(text: string): Int32Array | undefined {
  const words = new Int32Array(4);
  const version = isIP(text);
  if (version === 4) readIpv4(Uint8Array.from(text.split('.').map(Number)), 0, words, 0);
  else if (version === 6) readAddress(ipv6Bytes(text), 0, words, 0);
  return words.every((word) => word === 0) ? undefined : words;
}

/** Of a text that `isIP` has passed. */
function ipv6Bytes(text: string): Uint8Array {
  // The URL parser writes an embedded IPv4 address as groups.
  const canonical = new URL(`http://[${text}]`).hostname.slice(1, -1);
  const [head = '', tail] = canonical.split('::');
  const groups = (part: string) => part.split(':').filter((group) => group !== '');
  const last = tail === undefined ? [] : groups(tail);
  const first = groups(head);
  const zeroes = new Array<string>(8 - first.length - last.length).fill('0');
  const all = [...first, ...zeroes, ...last].map((group) => Number.parseInt(group, 16));
  return Uint8Array.from(all.flatMap((group) => [group >>> 8, group & 0xff]));
}

function refuse(path: string, text: string): never {
  throw new SluiceError('ERR_INTERFACE', `"${text}" is not what a tunnel's ${path} may be`, {
    path,
  });
}
