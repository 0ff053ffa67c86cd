// SPDX-License-Identifier: Apache-2.0
import { z } from 'zod';
import { canonicalAddress, familyOf } from '../../model/address.js';
import { show } from '../../model/explain.js';
import {
  expected,
  listOf,
  martian,
  metadata,
  objectOf,
  oneOf,
  portName,
  protocol,
  text,
  wholeNumber,
} from './schema.js';

const flag = (otherwise: boolean) => z.boolean(expected('true or false')).default(otherwise);

/** A condition that is left out means: as if there were no conditions. */
const conditions = objectOf(
  { ready: flag(true), serving: flag(true), terminating: flag(false) },
  'an object with ready, serving and terminating',
).default({ ready: true, serving: true, terminating: false });

const places = (what: string) => {
  const rule = `the name of a ${what}`;
  return listOf(objectOf({ name: text(rule).min(1, expected(rule)) }, `a ${what}`), `${what}s`);
};

const endpoint = objectOf(
  {
    addresses: listOf(text('an address'), 'addresses'),
    conditions,
    nodeName: text('the name of a node').optional(),
    hints: objectOf({ forZones: places('zone'), forNodes: places('node') }, 'an object').optional(),
  },
  'an endpoint',
);

const slicePort = objectOf(
  {
    name: portName.default(''),
    protocol,
    port: wholeNumber('a port number', 0, 65_535).default(0),
  },
  'a port',
);

export const endpointSliceSchema = z
  .looseObject({
    metadata,
    addressType: oneOf(['IPv4', 'IPv6', 'FQDN']),
    endpoints: listOf(endpoint, 'endpoints'),
    ports: listOf(slicePort, 'ports'),
  })
  .superRefine(({ addressType, endpoints }, context) => {
    if (addressType === 'FQDN') return;
    endpoints.forEach(({ addresses }, index) => {
      addresses.forEach((value, position) => {
        const message = addressMistake(value, addressType);
        if (message === null) return;
        const path = ['endpoints', index, 'addresses', position];
        context.addIssue({ code: 'custom', message, path });
      });
    });
  });

function addressMistake(value: string, addressType: 'IPv4' | 'IPv6'): string | null {
  const canonical = canonicalAddress(value);
  if (canonical !== null && `IPv${familyOf(canonical)}` === addressType) return martian(canonical);
  const what = `an ${addressType} address (the slice's addressType is ${addressType})`;
  return `expected ${what}, found ${show(value)}`;
}
