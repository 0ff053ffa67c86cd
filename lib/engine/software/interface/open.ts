// SPDX-License-Identifier: Apache-2.0
import { randomBytes } from 'node:crypto';
import type { InterfaceRequest } from '../../../compile/program.js';
import { type ErrorCode, SluiceError } from '../../../errors.js';
import type { SoftwareInterface } from './interface.js';
import { MemoryInterface } from './memory.js';
import { PcapInterface } from './pcap.js';
import { isTunnelKind, readTunnel, TunnelInterface } from './tunnel.js';

const MTU = { least: 576, most: 9_000 } as const;

/**
 * Checks a request by itself: whether its slot is free is the engine's to say.
 * @throws SluiceError `ERR_INTERFACE_KIND`, `ERR_INTERFACE_LIMIT`, `ERR_INTERFACE`; `path` is the field
 */
export function checkRequest(request: InterfaceRequest, slots: number): void {
  const { kind, slot, mac, mtu, worker } = request;
  if (kind !== 'memory' && kind !== 'pcap' && !isTunnelKind(kind)) {
    refuse('ERR_INTERFACE_KIND', 'kind', `the software engine has no ${kind} interfaces`);
  }
  if (!Number.isInteger(slot) || slot < 0 || slot >= slots) {
    refuse('ERR_INTERFACE_LIMIT', 'slot', `${slot} is not below ${slots}`);
  }
  if (mac !== null) {
    if (mac.length !== 6) refuse('ERR_INTERFACE', 'mac', `has ${mac.length} bytes, not 6`);
    if (mac[0] & 1) refuse('ERR_INTERFACE', 'mac', 'is a group address');
    if (mac.every((byte) => byte === 0)) refuse('ERR_INTERFACE', 'mac', 'is zero');
  }
  if (!Number.isInteger(mtu) || mtu < MTU.least || mtu > MTU.most) {
    refuse('ERR_INTERFACE', 'mtu', `${mtu} is not within ${MTU.least} to ${MTU.most}`);
  }
  if (worker !== null && worker !== 0) {
    refuse('ERR_INTERFACE', 'worker', `${worker}: the software engine has worker 0 alone`);
  }
}

/**
 * Makes an interface of a request that {@link checkRequest} has passed.
 * @throws SluiceError `ERR_INTERFACE`
 */
export async function openInterface(
  request: InterfaceRequest,
  now: () => number,
): Promise<SoftwareInterface> {
  const mac = request.mac === null ? randomMac() : request.mac.slice();
  const { rx, tx } = request.parameters;
  const { mtu, unfinishedChecksums } = request;
  if (request.kind === 'memory') return new MemoryInterface(mac, mtu, unfinishedChecksums);
  if (isTunnelKind(request.kind)) return new TunnelInterface(mac, readTunnel(request));
  return PcapInterface.open({ mac, mtu, unfinishedChecksums, rx, tx, now });
}

function randomMac(): Uint8Array {
  const mac = new Uint8Array(randomBytes(6));
  // Locally administered, and not a group.
  mac[0] = (mac[0] & 0xfc) | 0x02;
  return mac;
}

function refuse(code: ErrorCode, path: string, message: string): never {
  throw new SluiceError(code, message, { path });
}
