// SPDX-License-Identifier: Apache-2.0
import { canonicalAddress } from '../model/address.js';

/** Where a server listens. */
export interface BindAddress {
  /** Canonical text; without brackets. */
  host: string;
  /** 0: any that is free. */
  port: number;
}

/** Says that there shall be no such server. */
export const NO_SERVER = 'none';

/**
 * Reads `ADDRESS:PORT`, `[ADDRESS]:PORT`, or an address alone.
 * @param port - taken where there is none
 * @returns `null` if it is no such text
 */
export function parseBindAddress(text: string, port: number): BindAddress | null {
  const alone = canonicalAddress(text.replace(/^\[(.*)\]$/, '$1'));
  if (alone !== null) return { host: alone, port };
  const [, ipv6, ipv4, digits = ''] = /^(?:\[([^\]]*)\]|([^:[\]]*)):([0-9]{1,5})$/.exec(text) ?? [];
  const host = canonicalAddress(ipv6 ?? ipv4 ?? '');
  if (host === null || Number(digits) > 65_535) return null;
  if ((ipv6 === undefined) === host.includes(':')) return null;
  return { host, port: Number(digits) };
}

export function formatBindAddress({ host, port }: BindAddress): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}
