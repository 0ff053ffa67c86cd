// SPDX-License-Identifier: Apache-2.0
import { SluiceError } from '../errors.js';
import { formatPrefix, isIpv4, isMartian, networkOf, parseIpv4, parsePrefix } from './address.js';
import { checkMac } from './check-interface.js';
import type { CheckedRoute } from './checked.js';
import { show } from './explain.js';
import { Fields } from './fields.js';

const CODE = 'ERR_ROUTE_SPEC';

/** Every key of a route specification. */
export const ROUTE_KEYS: readonly string[] = ['prefix', 'via', 'dev', 'mac'];

/** @throws SluiceError `ERR_ROUTE_SPEC` */
export function checkRoutes(values: readonly unknown[], path: string): CheckedRoute[] {
  const routes = values.map((value, index) => checkRoute(value, `${path}[${index}]`));
  const prefixes = new Map<string, number>();
  routes.forEach(({ text }, index) => {
    const same = prefixes.get(text);
    if (same !== undefined) {
      const message = `${text} is ${path}[${same}] already; a prefix may be given once`;
      throw new SluiceError(CODE, message, { path: `${path}[${index}].prefix` });
    }
    prefixes.set(text, index);
  });
  return routes;
}

/**
 * Checks one route by itself; whether its interface exists and its next hop is on a link is for
 * the compiler to say.
 * @throws SluiceError `ERR_ROUTE_SPEC`
 */
export function checkRoute(value: unknown, path: string): CheckedRoute {
  const fields = new Fields(value, path, CODE, ROUTE_KEYS);
  const { prefix, length } = checkPrefix(fields);
  const via = fields.has('via') ? checkVia(fields) : null;
  const dev = fields.has('dev') ? fields.string('dev', 'the name of an interface') : null;
  if (via === null && dev === null) {
    fields.fail('via', 'a route needs via=ADDRESS (next hop), dev=INTERFACE, or both');
  }
  const mac = fields.has('mac') ? checkMac(fields) : null;
  return { text: formatPrefix({ bytes: prefix, length }), prefix, length, via, dev, mac };
}

function checkPrefix(fields: Fields): { prefix: Uint8Array; length: number } {
  const value = fields.value('prefix');
  const text = value === 'default' ? '0.0.0.0/0' : value;
  const prefix = typeof text === 'string' ? parsePrefix(text) : null;
  if (prefix === null || !isIpv4(prefix.bytes)) {
    const bare = typeof text === 'string' && parseIpv4(text) !== null;
    const hint = prefix !== null ? '; IPv6 is not carried' : bare ? `; write ${text}/32` : '';
    const what = 'an IPv4 prefix such as 10.1.0.0/16, or default';
    return fields.fail('prefix', `expected ${what}, found ${show(value)}${hint}`);
  }
  const network = networkOf(prefix);
  if (formatPrefix(network) !== formatPrefix(prefix)) {
    fields.fail(
      'prefix',
      `expected host bits of zero, found ${show(value)}; write ${formatPrefix(network)}`,
    );
  }
  return { prefix: network.bytes, length: network.length };
}

function checkVia(fields: Fields): Uint8Array {
  const value = fields.value('via');
  const bytes = typeof value === 'string' ? parseIpv4(value) : null;
  if (bytes === null || isMartian(bytes)) {
    fields.expected('via', 'the IPv4 address of a next hop, such as 10.0.0.254');
  }
  return bytes!;
}
