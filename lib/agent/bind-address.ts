// SPDX-License-Identifier: Apache-2.0
import { isIP } from 'node:net';
import { SluiceError } from '../errors.js';

/** Where a server listens. */
export interface BindAddress {
  /** `null`: on all addresses of both families. */
  host: string | null;
  port: number;
}

const WILDCARDS = ['', '0.0.0.0', '::'];

/**
 * Reads an address as kube-proxy's flags have it: `127.0.0.1:10249`, `[::1]:10249`, an address alone
 * (the default port), `:10249` (all addresses). An unspecified address of either family means all
 * addresses of both, as in Go.
 *
 * @returns `null` for an empty text: off
 * @throws SluiceError `ERR_OPTIONS`
 */
export function parseBindAddress(
  text: string,
  defaultPort: number,
  path?: string,
): BindAddress | null {
  if (text === '') return null;
  const { host, port } = split(text);
  if ((host !== '' && isIP(host) === 0) || (port !== null && !/^\d{1,5}$/.test(port)))
    throw mistake(text, path);
  const number = port === null ? defaultPort : Number(port);
  if (number > 65_535) throw mistake(text, path);
  return { host: WILDCARDS.includes(host) ? null : host, port: number };
}

/** As it is written: `0.0.0.0:10249` where it is all addresses. */
export function formatBindAddress({ host, port }: BindAddress): string {
  const name = host ?? '0.0.0.0';
  return isIP(name) === 6 ? `[${name}]:${port}` : `${name}:${port}`;
}

function split(text: string): { host: string; port: string | null } {
  if (isIP(text) !== 0) return { host: text, port: null };
  const match = /^(?:\[([^\]]*)\]|([^:[\]]*))(?::(.*))?$/.exec(text);
  // What is no address has no port that is a number.
  if (match === null) return { host: text, port: 'none' };
  const [, bracketed, plain, port] = match;
  const bracketedIs6 = bracketed === undefined || isIP(bracketed) === 6;
  return { host: bracketedIs6 ? (bracketed ?? plain ?? '') : text, port: port ?? null };
}

function mistake(text: string, path: string | undefined): SluiceError {
  return new SluiceError(
    'ERR_OPTIONS',
    `expected an address and a port, such as 127.0.0.1:10249 or [::]:10249, found "${text}"`,
    path === undefined ? {} : { path },
  );
}
