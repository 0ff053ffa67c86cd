// SPDX-License-Identifier: Apache-2.0
import type { ErrorCode } from '../errors.js';
import type { Prefix } from './address.js';
import { checkAddress, checkPrefix } from './check-address.js';
import type { CheckedNode, CheckedNodePorts } from './checked.js';
import { Fields } from './fields.js';

/** Every key of the node section. */
export const NODE_KEYS: readonly string[] = [
  ...['name', 'zone', 'addresses', 'nodePortAddresses'],
  ...['podNetworks', 'serviceNetworks', 'masqueradeAll'],
];

const NETWORK = 'a network such as 10.1.0.0/16 or fd00:1::/48';

/** What is taken where there is no node section. */
export const NO_NODE: CheckedNode = {
  name: null,
  zone: null,
  addresses: [],
  nodePorts: { all: true, primary: false, networks: [] },
  podNetworks: [],
  serviceNetworks: [],
  masqueradeAll: false,
};

/** @throws SluiceError of `code` */
export function checkNode(
  value: unknown,
  path: string,
  code: ErrorCode = 'ERR_MODEL',
): CheckedNode {
  const fields = new Fields(value, path, code, NODE_KEYS);
  return {
    name: fields.has('name') ? fields.string('name', 'the name of a node') : null,
    zone: fields.has('zone') ? fields.string('zone', 'the name of a zone') : null,
    addresses: fields.has('addresses') ? checkOwnAddresses(fields) : [],
    nodePorts: fields.has('nodePortAddresses') ? checkNodePorts(fields) : NO_NODE.nodePorts,
    podNetworks: fields.has('podNetworks') ? checkNetworks(fields, 'podNetworks') : [],
    serviceNetworks: fields.has('serviceNetworks') ? checkNetworks(fields, 'serviceNetworks') : [],
    masqueradeAll: fields.has('masqueradeAll') && fields.boolean('masqueradeAll'),
  };
}

function checkOwnAddresses(fields: Fields): string[] {
  const path = fields.pathOf('addresses');
  const addresses = fields.list('addresses', 'addresses').map((text, index) => {
    return checkAddress(text, `${path}[${index}]`, fields.code);
  });
  return [...new Set(addresses)];
}

function checkNodePorts(fields: Fields): CheckedNodePorts {
  const path = fields.pathOf('nodePortAddresses');
  const words = fields.list('nodePortAddresses', 'networks, or all, or primary');
  const networks = words.flatMap((word, index) => {
    if (word === 'all' || word === 'primary') return [];
    const what = `${NETWORK}, or all, or primary`;
    return [checkPrefix(word, `${path}[${index}]`, fields.code, what)];
  });
  const all = words.length === 0 || words.includes('all');
  return { all, primary: words.includes('primary'), networks };
}

function checkNetworks(fields: Fields, key: string): Prefix[] {
  const path = fields.pathOf(key);
  return fields.list(key, 'networks').map((network, index) => {
    return checkPrefix(network, `${path}[${index}]`, fields.code, NETWORK);
  });
}
