// SPDX-License-Identifier: Apache-2.0
import { isIP } from 'node:net';
import { canonicalAddress } from '../model/address.js';

/** Where a server listens. */
export interface BindAddress {
  /** Canonical text, without brackets; `null`: on all addresses of both families. */
  host: string | null;
  /** 0: any that is free. */
  port: number;
}

/** Says that there shall be no such server. */
export const NO_SERVER = 'none';

const WILDCARDS: readonly unknown[] = ['0.0.0.0', '::'];

/**
 * Reads an address as kube-proxy's flags have it: `127.0.0.1:10249`, `[::1]:10249`, an address alone,
 * `:10249` (all addresses). An unspecified address of either family means all addresses of both, as in Go.
 *
 * @param port - taken where there is none
 * @returns `null` if it is no such text
 */
export function parseBindAddress(text: string, port: number): BindAddress | null {
  const alone = canonicalAddress(text.replace(/^\[(.*)\]$/, '$1'));
  if (alone !== null) return { host: hostOf(alone), port };
  const [, ipv6, ipv4, digits = ''] = /^(?:\[([^\]]*)\]|([^:[\]]*)):([0-9]{1,5})$/.exec(text) ?? [];
  if (digits === '' || Number(digits) > 65_535) return null;
  if (ipv4 === '') return { host: null, port: Number(digits) };
  const host = canonicalAddress(ipv6 ?? ipv4 ?? '');
  if (host === null || (ipv6 === undefined) === host.includes(':')) return null;
  return { host: hostOf(host), port: Number(digits) };
}

/** As it is written: `0.0.0.0:10249` where it is all addresses. */
export function formatBindAddress({ host, port }: BindAddress): string {
  const name = host ?? '0.0.0.0';
  return isIP(name) === 6 ? `[${name}]:${port}` : `${name}:${port}`;
}

function hostOf(address: string): string | null {
  return WILDCARDS.includes(address) ? null : address;
}
