// SPDX-License-Identifier: Apache-2.0
import { SluiceError } from '../errors.js';
import { hostLength, type Prefix, parseAddress } from './address.js';
import { checkAddress, checkPrefix } from './check-address.js';
import { isObjectName } from './check-name.js';
import type { CheckedInterface } from './checked.js';
import { show } from './explain.js';
import type { Fields } from './fields.js';

const SOURCE = 'an address or a network, such as 10.1.0.5 or fd00:1::/64';

/** Checks the keys `sources` and `pod` of an interface: who may send on it. */
export function checkSenders(fields: Fields): Pick<CheckedInterface, 'sources' | 'pod'> {
  const pod = fields.has('pod') ? checkPodName(fields) : null;
  if (!fields.has('sources')) {
    if (pod === null) return { sources: [], pod };
    return fields.fail('sources', `expected the addresses of pod ${pod}, found nothing`);
  }
  const path = fields.pathOf('sources');
  const values = fields.list('sources', 'addresses and networks');
  if (values.length === 0) fields.expected('sources', 'at least one address or network');
  const sources = values.map((value, index): Prefix => {
    const at = `${path}[${index}]`;
    const bare = typeof value === 'string' && parseAddress(value) !== null;
    if (bare) {
      const bytes = parseAddress(checkAddress(value, at, fields.code))!;
      return { bytes, length: hostLength(bytes) };
    }
    const prefix = checkPrefix(value, at, fields.code, SOURCE);
    if (pod !== null && prefix.length < hostLength(prefix.bytes)) {
      const message = `expected an address of pod ${pod}, found the network ${show(value)}`;
      throw new SluiceError(fields.code, message, { path: at });
    }
    return prefix;
  });
  return { sources, pod };
}

function checkPodName(fields: Fields): string {
  const what = 'NAMESPACE/NAME of a pod, such as shop/cart-1';
  const text = fields.string('pod', what);
  const [namespace = '', name = '', ...rest] = text.split('/');
  if (rest.length > 0 || !isObjectName(namespace, 63) || !isObjectName(name, 253)) {
    fields.expected('pod', what);
  }
  return text;
}
