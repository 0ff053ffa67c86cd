// SPDX-License-Identifier: Apache-2.0
import { SluiceError } from '../errors.js';
import {
  formatPrefix,
  isIpv4,
  isLinkLocal,
  isMartian,
  type Prefix,
  parseAddress,
} from './address.js';
import { checkPrefix } from './check-address.js';
import { checkMac } from './check-interface.js';
import type { CheckedHop, CheckedRoute } from './checked.js';
import { Fields } from './fields.js';

const CODE = 'ERR_ROUTE_SPEC';

/** Every key of a route specification. */
export const ROUTE_KEYS: readonly string[] = ['prefix', 'via', 'dev', 'mac', 'nextHops'];

/** Every key of one of several next hops. */
export const HOP_KEYS: readonly string[] = ['via', 'dev', 'mac', 'weight'];

/** What a group of an engine holds. */
const MAX_NEXT_HOPS = 64;

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
 * Checks one route by itself; whether its interfaces exist and its next hops are on a link is for
 * the compiler to say.
 * @throws SluiceError `ERR_ROUTE_SPEC`
 */
export function checkRoute(value: unknown, path: string): CheckedRoute {
  const fields = new Fields(value, path, CODE, ROUTE_KEYS);
  const each = hopFields(fields);
  const vias = each.map((hop) => (hop.has('via') ? checkVia(hop) : null));
  const { bytes: prefix, length } = checkDestination(fields, vias[0] ?? null);
  const hops = each.map((hop, index) => checkHop(hop, vias[index] ?? null, isIpv4(prefix)));
  return { text: formatPrefix({ bytes: prefix, length }), prefix, length, hops };
}

/** Next hops: those of the list, or the route itself. */
function hopFields(fields: Fields): Fields[] {
  if (!fields.has('nextHops')) return [fields];
  const twice = ['via', 'dev', 'mac'].find((key) => fields.has(key));
  if (twice !== undefined) {
    fields.fail(twice, 'belongs into nextHops, where there are some');
  }
  const list = fields.list('nextHops', 'next hops');
  if (list.length < 1 || list.length > MAX_NEXT_HOPS) {
    fields.fail('nextHops', `expected 1 to ${MAX_NEXT_HOPS} next hops, found ${list.length}`);
  }
  const path = fields.pathOf('nextHops');
  return list.map((hop, index) => new Fields(hop, `${path}[${index}]`, CODE, HOP_KEYS));
}

/** Checks a next hop. @param via - of it, checked */
export function checkHop(fields: Fields, via: Uint8Array | null, ofIpv4: boolean): CheckedHop {
  const dev = fields.has('dev') ? fields.string('dev', 'the name of an interface') : null;
  if (via === null && dev === null) {
    fields.fail('via', 'a next hop needs via=ADDRESS (next hop), dev=INTERFACE, or both');
  }
  if (via !== null && isIpv4(via) !== ofIpv4) {
    fields.expected('via', `a next hop of its family, ${ofIpv4 ? 'IPv4' : 'IPv6'}`);
  }
  if (via !== null && dev === null && isLinkLocal(via)) {
    fields.fail('dev', 'a link-local next hop is on every link: name the interface with dev=');
  }
  const mac = fields.has('mac') ? checkMac(fields) : null;
  const weight = fields.has('weight') ? fields.integer('weight', 1, 255) : 1;
  return { via, dev, mac, weight };
}

function checkDestination(fields: Fields, via: Uint8Array | null): Prefix {
  const value = fields.value('prefix');
  const everything = via === null || isIpv4(via) ? '0.0.0.0/0' : '::/0';
  const what = 'a prefix such as 10.1.0.0/16 or fd00:1::/48, or default';
  const text = value === 'default' ? everything : value;
  return checkPrefix(text, fields.pathOf('prefix'), CODE, what);
}

/** Checks the key `via` of a next hop. */
export function checkVia(fields: Fields): Uint8Array {
  const value = fields.value('via');
  const bytes = typeof value === 'string' ? parseAddress(value) : null;
  if (bytes === null || (isMartian(bytes) && !isLinkLocal(bytes))) {
    fields.expected('via', 'the address of a next hop, such as 10.0.0.254 or fd00::fe');
  }
  return bytes!;
}
