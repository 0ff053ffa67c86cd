// SPDX-License-Identifier: Apache-2.0
import { SluiceError } from '../errors.js';
import { checkInterfaces } from './check-interfaces.js';
import { checkNode } from './check-node.js';
import { checkNamespaces, checkPods } from './check-pods.js';
import { checkPolicies } from './check-policy.js';
import { checkRoutes } from './check-route.js';
import { checkEachService } from './check-service.js';
import { type CheckedChange, type CheckedChanges, serviceKey } from './checked.js';
import { policyKey } from './checked-policy.js';
import { show } from './explain.js';
import { Fields } from './fields.js';

const CODE = 'ERR_MODEL';
const CHANGE_KEYS = [
  ...['services', 'namespaces', 'pods', 'policies'],
  ...['interfaces', 'routes', 'node'],
];
const SECTION_KEYS = ['put', 'removed'];

/**
 * Checks a change by itself, whatever its static type, and fills in the defaults. The first mistake
 * is thrown; nothing is changed.
 * @throws SluiceError `ERR_MODEL`, `ERR_INTERFACE_SPEC`, `ERR_ROUTE_SPEC`; `path` names the field,
 * such as `services.put[2].ports[0].backends[1].weight` or `pods.removed[3]`
 */
export function checkChange(value: unknown): CheckedChange {
  const fields = new Fields(value, '', CODE, CHANGE_KEYS);
  return {
    ...(fields.has('services') && {
      services: checkSection(fields, 'services', checkEachService, serviceKey),
    }),
    ...(fields.has('namespaces') && {
      namespaces: checkSection(fields, 'namespaces', checkNamespaces, ({ name }) => name),
    }),
    ...(fields.has('pods') && { pods: checkSection(fields, 'pods', checkPods, serviceKey) }),
    ...(fields.has('policies') && {
      policies: checkSection(fields, 'policies', checkPolicies, policyKey),
    }),
    ...(fields.has('interfaces') && {
      interfaces: checkInterfaces(fields.list('interfaces', 'interfaces'), 'interfaces'),
    }),
    ...(fields.has('routes') && {
      routes: checkRoutes(fields.list('routes', 'routes'), 'routes'),
    }),
    ...(fields.has('node') && { node: checkNode(fields.value('node'), 'node') }),
  };
}

function checkSection<T>(
  parent: Fields,
  key: string,
  check: (values: readonly unknown[], path: string) => readonly T[],
  keyOf: (member: T) => string,
): CheckedChanges<T> {
  const fields = new Fields(parent.value(key), parent.pathOf(key), CODE, SECTION_KEYS);
  const put = fields.has('put') ? check(fields.list('put', key), fields.pathOf('put')) : [];
  const removed = fields.has('removed') ? checkKeys(fields, 'removed') : [];
  if (removed.length > 0) {
    const places = new Map(put.map((member, index) => [keyOf(member), index]));
    removed.forEach((name, index) => {
      const place = places.get(name);
      if (place === undefined) return;
      const message = `${name} is ${fields.pathOf('put')}[${place}] too; leave one of them out`;
      throw new SluiceError(CODE, message, { path: `${fields.pathOf('removed')}[${index}]` });
    });
  }
  return { put, removed };
}

/** Keys without duplicates. One that nothing has is no mistake. */
function checkKeys(fields: Fields, key: string): string[] {
  const path = fields.pathOf(key);
  const keys = fields.list(key, 'keys').map((name, index) => {
    if (typeof name === 'string' && name !== '') return name;
    const message = `expected the key of what has gone, such as default/web, found ${show(name)}`;
    throw new SluiceError(CODE, message, { path: `${path}[${index}]` });
  });
  return [...new Set(keys)];
}
