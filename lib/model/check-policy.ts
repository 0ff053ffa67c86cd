// SPDX-License-Identifier: Apache-2.0
import { SluiceError } from '../errors.js';
import { contains } from './address.js';
import { checkPrefix } from './check-address.js';
import { checkLabelSelector, labelIs } from './check-labels.js';
import { isObjectName, namespaceName, objectName } from './check-name.js';
import {
  type CheckedNetworkPeer,
  type CheckedPodSelector,
  type CheckedPolicy,
  type CheckedPolicyPeer,
  type CheckedPolicyPort,
  type CheckedPolicyRule,
  NAMESPACE_NAME_LABEL,
  policyKey,
} from './checked-policy.js';
import { show } from './explain.js';
import { Fields, isPlainObject } from './fields.js';
import { POLICY_ACTIONS, POLICY_PROTOCOLS, POLICY_TIERS } from './policy.js';

const CODE = 'ERR_MODEL';
const POLICY_KEYS = [...['name', 'namespace', 'tier', 'priority', 'subject', 'ingress', 'egress']];
const RULE_KEYS = ['name', 'action', 'peers', 'ports'];
const PODS_KEYS = ['namespaces', 'pods'];
const NETWORK_KEYS = ['network', 'except'];
const PORT_KEYS = ['protocol', 'port', 'endPort'];
const MAX_PRIORITY = 1_000;
const NETWORK = 'a network such as 10.0.0.0/8 or fd00::/8';

/** @throws SluiceError `ERR_MODEL` */
export function checkPolicies(values: readonly unknown[], path: string): CheckedPolicy[] {
  const names = new Map<string, number>();
  return values.map((value, index) => {
    const policy = checkPolicy(value, `${path}[${index}]`);
    const key = policyKey(policy);
    const same = names.get(key);
    if (same !== undefined) {
      const rule = policy.namespace === null ? '' : ' within a namespace';
      const message = `${key} is ${path}[${same}] already; names must differ${rule}`;
      throw new SluiceError(CODE, message, { path: `${path}[${index}].name` });
    }
    names.set(key, index);
    return policy;
  });
}

function checkPolicy(value: unknown, path: string): CheckedPolicy {
  const fields = new Fields(value, path, CODE, POLICY_KEYS);
  const tier = fields.oneOf('tier', POLICY_TIERS);
  const ofNetwork = tier === 'network';
  const refused = ofNetwork ? 'priority' : 'namespace';
  if (fields.has(refused)) fields.fail(refused, `a policy of the tier ${tier} has no ${refused}`);
  const namespace = ofNetwork ? namespaceName(fields) : null;
  const subject = new Fields(fields.value('subject'), `${path}.subject`, CODE, PODS_KEYS);
  if (ofNetwork && subject.has('namespaces')) {
    subject.fail('namespaces', 'a policy of the tier network is for pods of its own namespace');
  }
  return {
    name: objectName(fields, 'name', 253),
    namespace,
    tier,
    priority: fields.has('priority')
      ? fields.integer('priority', 0, MAX_PRIORITY, 'a priority')
      : 0,
    subject: checkPodSelector(subject, namespace),
    ingress: checkRules(fields, 'ingress', namespace),
    egress: checkRules(fields, 'egress', namespace),
  };
}

function checkRules(
  fields: Fields,
  direction: 'ingress' | 'egress',
  namespace: string | null,
): CheckedPolicyRule[] | null {
  if (!fields.has(direction)) return null;
  const path = fields.pathOf(direction);
  return fields.list(direction, 'rules').map((value, index) => {
    const rule = new Fields(value, `${path}[${index}]`, CODE, RULE_KEYS);
    const action = rule.oneOf('action', POLICY_ACTIONS);
    if (namespace !== null && action !== 'accept') {
      rule.fail('action', `rules of the tier network only accept, found ${show(action)}`);
    }
    return {
      name: rule.has('name') ? rule.string('name', 'the name of a rule') : null,
      action,
      peers: items(rule, 'peers', (peer, at) => checkPeer(peer, at, namespace)),
      ports: items(rule, 'ports', checkPort),
    };
  });
}

/** What stands behind `key`, item by item; `null` where it is left out. */
function items<T>(fields: Fields, key: string, check: (value: unknown, path: string) => T) {
  if (!fields.has(key)) return null;
  const path = fields.pathOf(key);
  return fields.list(key, key).map((value, index) => check(value, `${path}[${index}]`));
}

function checkPeer(value: unknown, path: string, namespace: string | null): CheckedPolicyPeer {
  if (isPlainObject(value) && ('network' in value || 'except' in value)) {
    return checkNetworkPeer(new Fields(value, path, CODE, NETWORK_KEYS));
  }
  const fields = new Fields(value, path, CODE, [...PODS_KEYS, ...NETWORK_KEYS]);
  if (PODS_KEYS.every((key) => !fields.has(key))) {
    const message = 'expected namespaces, pods or network, found an object without any of them';
    throw new SluiceError(CODE, message, { path });
  }
  return checkPodSelector(fields, namespace);
}

function checkPodSelector(fields: Fields, namespace: string | null): CheckedPodSelector {
  const own = namespace === null ? [] : [labelIs(NAMESPACE_NAME_LABEL, namespace)];
  return {
    kind: 'pods',
    namespaces: fields.has('namespaces') ? checkLabelSelector(fields, 'namespaces') : own,
    pods: fields.has('pods') ? checkLabelSelector(fields, 'pods') : [],
  };
}

function checkNetworkPeer(fields: Fields): CheckedNetworkPeer {
  const network = checkPrefix(fields.value('network'), fields.pathOf('network'), CODE, NETWORK);
  const except = items(fields, 'except', (value, path) => {
    const prefix = checkPrefix(value, path, CODE, NETWORK);
    if (prefix.length >= network.length && contains(network, prefix.bytes)) return prefix;
    const message = `expected a network within ${show(fields.value('network'))}, found ${show(value)}`;
    throw new SluiceError(CODE, message, { path });
  });
  return { kind: 'network', network, except: except ?? [] };
}

function checkPort(value: unknown, path: string): CheckedPolicyPort {
  const fields = new Fields(value, path, CODE, PORT_KEYS);
  const protocol = fields.has('protocol') ? fields.oneOf('protocol', POLICY_PROTOCOLS) : 'TCP';
  const port = fields.value('port');
  if (typeof port === 'string') {
    if (!isObjectName(port, 63)) fields.expected('port', 'a port or the name of one');
    if (fields.has('endPort')) fields.fail('endPort', 'a range begins with a number, not a name');
    return { protocol, name: port };
  }
  if (port === undefined) {
    if (fields.has('endPort')) fields.fail('port', 'expected the first port of the range');
    return { protocol, first: 0, last: 65_535 };
  }
  const first = fields.integer('port', 1, 65_535, 'a port, by number or name, numbers');
  const last = fields.has('endPort')
    ? fields.integer('endPort', first, 65_535, 'a port not below the first one,')
    : first;
  return { protocol, first, last };
}
