// SPDX-License-Identifier: Apache-2.0
import { SluiceError } from '../errors.js';
import { checkAddress } from './check-address.js';
import { checkLabels } from './check-labels.js';
import { namespaceName, objectName } from './check-name.js';
import { serviceKey as keyOf } from './checked.js';
import {
  type CheckedNamedPort,
  type CheckedNamespace,
  type CheckedPod,
  NAMESPACE_NAME_LABEL,
} from './checked-policy.js';
import { show } from './explain.js';
import { Fields } from './fields.js';
import { POLICY_PROTOCOLS } from './policy.js';

const CODE = 'ERR_MODEL';
const NAMESPACE_KEYS = ['name', 'labels'];
const POD_KEYS = ['name', 'namespace', 'labels', 'addresses', 'ports', 'node', 'hostNetwork'];
const PORT_KEYS = ['name', 'protocol', 'port'];

/** @throws SluiceError `ERR_MODEL` */
export function checkNamespaces(values: readonly unknown[], path: string): CheckedNamespace[] {
  const taken = new Taken('name', 'names must differ');
  return values.map((value, index) => {
    const at = `${path}[${index}]`;
    const fields = new Fields(value, at, CODE, NAMESPACE_KEYS);
    const name = objectName(fields, 'name', 63);
    taken.take(name, at, `${at}.name`);
    const labels = checkLabels(fields, 'labels');
    const given = labels[NAMESPACE_NAME_LABEL];
    if (given !== undefined && given !== name) {
      const message = `${NAMESPACE_NAME_LABEL} is always the name, ${show(name)}; found ${show(given)}`;
      refuse(`${at}.labels`, message);
    }
    return { name, labels: { ...labels, [NAMESPACE_NAME_LABEL]: name } };
  });
}

/** @throws SluiceError `ERR_MODEL` */
export function checkPods(values: readonly unknown[], path: string): CheckedPod[] {
  const names = new Taken('name', 'names must differ within a namespace');
  const addresses = new Taken('address', 'give each pod its own');
  return values.map((value, index) => {
    const at = `${path}[${index}]`;
    const pod = checkPod(value, at);
    names.take(keyOf(pod), at, `${at}.name`);
    // Pods in the network of their node share its addresses.
    if (!pod.hostNetwork) {
      pod.addresses.forEach((address, row) => {
        addresses.take(address, at, `${at}.addresses[${row}]`);
      });
    }
    return pod;
  });
}

function checkPod(value: unknown, path: string): CheckedPod {
  const fields = new Fields(value, path, CODE, POD_KEYS);
  return {
    name: objectName(fields, 'name', 253),
    namespace: namespaceName(fields),
    labels: checkLabels(fields, 'labels'),
    addresses: fields.list('addresses', 'addresses').map((text, index) => {
      return checkAddress(text, `${path}.addresses[${index}]`, CODE);
    }),
    ports: fields.has('ports')
      ? fields
          .list('ports', 'ports')
          .map((port, index) => checkPort(port, `${path}.ports[${index}]`))
      : [],
    node: fields.has('node') ? fields.string('node', 'the name of a node') : null,
    hostNetwork: fields.has('hostNetwork') && fields.boolean('hostNetwork'),
  };
}

function checkPort(value: unknown, path: string): CheckedNamedPort {
  const fields = new Fields(value, path, CODE, PORT_KEYS);
  return {
    name: objectName(fields, 'name', 63),
    protocol: fields.has('protocol') ? fields.oneOf('protocol', POLICY_PROTOCOLS) : 'TCP',
    port: fields.integer('port', 1, 65_535, 'a port'),
  };
}

/** Refuses what two of a list have in common. */
class Taken {
  readonly #holders = new Map<string, string>();
  readonly #what: string;
  readonly #remedy: string;

  constructor(what: string, remedy: string) {
    this.#what = what;
    this.#remedy = remedy;
  }

  take(value: string, holder: string, path: string): void {
    const same = this.#holders.get(value);
    if (same !== undefined) {
      const where = same === holder ? 'twice' : `the ${this.#what} of ${same} already`;
      refuse(path, `${value} is ${where}; ${this.#remedy}`);
    }
    this.#holders.set(value, holder);
  }
}

function refuse(path: string, message: string): never {
  throw new SluiceError(CODE, message, { path });
}
