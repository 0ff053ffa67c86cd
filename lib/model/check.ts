// SPDX-License-Identifier: Apache-2.0
import { checkInterfaces } from './check-interfaces.js';
import { checkNode } from './check-node.js';
import { checkNamespaces, checkPods } from './check-pods.js';
import { checkPolicies } from './check-policy.js';
import { checkRoutes } from './check-route.js';
import { checkServices } from './check-service.js';
import type { CheckedModel } from './checked.js';
import { Fields } from './fields.js';

const MODEL_KEYS = [
  ...['services', 'interfaces', 'routes', 'node'],
  ...['namespaces', 'pods', 'policies'],
];

/**
 * Checks a whole model, whatever its static type, and fills in the defaults. The first mistake is
 * thrown; nothing is changed. Sections that are left out stay left out.
 * @throws SluiceError `ERR_MODEL`, `ERR_INTERFACE_SPEC`, `ERR_ROUTE_SPEC`; `path` names the field,
 * such as `services[2].ports[0].backends[1].weight`
 */
export function checkModel(value: unknown): CheckedModel {
  const fields = new Fields(value, '', 'ERR_MODEL', MODEL_KEYS);
  return {
    ...(fields.has('services') && {
      services: checkServices(fields.list('services', 'services'), 'services'),
    }),
    ...(fields.has('interfaces') && {
      interfaces: checkInterfaces(fields.list('interfaces', 'interfaces'), 'interfaces'),
    }),
    ...(fields.has('routes') && {
      routes: checkRoutes(fields.list('routes', 'routes'), 'routes'),
    }),
    ...(fields.has('namespaces') && {
      namespaces: checkNamespaces(fields.list('namespaces', 'namespaces'), 'namespaces'),
    }),
    ...(fields.has('pods') && { pods: checkPods(fields.list('pods', 'pods'), 'pods') }),
    ...(fields.has('policies') && {
      policies: checkPolicies(fields.list('policies', 'policies'), 'policies'),
    }),
    ...(fields.has('node') && { node: checkNode(fields.value('node'), 'node') }),
  };
}
