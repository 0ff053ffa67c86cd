// SPDX-License-Identifier: Apache-2.0
import { isIP } from 'node:net';
import { familyOf } from './allocation.js';
import { checkLabel1123, checkPort } from './checks.js';
import type { Tree } from './objects.js';
import { PROTOCOLS } from './service-checks.js';
import { duplicate, type FieldError, invalid, required, tooMany, unsupported } from './status.js';
import type { Strategy } from './strategy.js';

/** Loopback, unspecified, link-local: nobody's endpoint. */
const NOWHERE = /^(127\.|169\.254\.|0\.0\.0\.0$|::1?$|fe[89ab].:)/i;
const ADDRESS_TYPES = ['FQDN', 'IPv4', 'IPv6'];

export const sliceStrategy: Strategy = {
  defaults(slice) {
    for (const port of slice.ports ?? []) {
      port.name ??= '';
      port.protocol ??= 'TCP';
    }
    // Go's nil slices: they are in the JSON.
    if (!slice.endpoints?.length) slice.endpoints = null;
    if (!slice.ports?.length) slice.ports = null;
    for (const endpoint of slice.endpoints ?? []) endpoint.conditions ??= {};
  },
  check(slice, old) {
    const errors: FieldError[] = [];
    const type = slice.addressType;
    if (!type) errors.push(required('addressType'));
    else if (!ADDRESS_TYPES.includes(type)) {
      errors.push(unsupported('addressType', type, ADDRESS_TYPES));
    } else if (old && old.addressType !== type) {
      errors.push(invalid('addressType', type, 'field is immutable'));
    }
    const endpoints: Tree[] = slice.endpoints ?? [];
    if (endpoints.length > 1000) errors.push(tooMany('endpoints', endpoints.length, 1000));
    else {
      for (const [index, endpoint] of endpoints.entries()) {
        errors.push(...checkEndpoint(`endpoints[${index}]`, endpoint, type));
      }
    }
    return [...errors, ...checkSlicePorts(slice.ports ?? [])];
  },
};

function checkEndpoint(field: string, endpoint: Tree, type: string): FieldError[] {
  const addresses: string[] = endpoint.addresses ?? [];
  if (addresses.length === 0) {
    return [required(`${field}.addresses`, 'must contain at least 1 address')];
  }
  if (addresses.length > 100) return [tooMany(`${field}.addresses`, addresses.length, 100)];
  if (type !== 'IPv4' && type !== 'IPv6') return [];
  return addresses.flatMap((address, index) => {
    const path = `${field}.addresses[${index}]`;
    if (isIP(address) === 0) {
      return [
        invalid(path, address, 'must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)'),
      ];
    }
    if (familyOf(address) !== type) return [invalid(path, address, `must be an ${type} address`)];
    return NOWHERE.test(address)
      ? [
          invalid(
            path,
            address,
            'may not be in the loopback, the unspecified or the link-local range',
          ),
        ]
      : [];
  });
}

function checkSlicePorts(ports: readonly Tree[]): FieldError[] {
  if (ports.length > 20000) return [tooMany('ports', ports.length, 20000)];
  const names = new Set<string>();
  return ports.flatMap(({ name, port, protocol }, index) => {
    const errors: FieldError[] = [];
    const field = `ports[${index}]`;
    if (name) errors.push(...checkLabel1123(`${field}.name`, name));
    if (names.has(name)) errors.push(duplicate(`${field}.name`, name));
    names.add(name);
    if (!PROTOCOLS.includes(protocol)) {
      errors.push(unsupported(`${field}.protocol`, protocol, PROTOCOLS));
    }
    if (port !== undefined && port !== null) errors.push(...checkPort(`${field}.port`, port));
    return errors;
  });
}
