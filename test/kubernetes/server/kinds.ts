// SPDX-License-Identifier: Apache-2.0
import ipaddr from 'ipaddr.js';
import { type Allocations, familyOf } from './allocation.js';
import { checkLabel1123, checkPort } from './checks.js';
import { type KubeObject, type Tree, timestamp } from './objects.js';
import { podStrategy } from './pods.js';
import { PROTOCOLS } from './service-checks.js';
import { serviceStrategy } from './services.js';
import { duplicate, type FieldError, invalid, required, tooMany, unsupported } from './status.js';
import type { Strategy } from './strategy.js';

/** By `kind.group`, or `kind` of the core group. What is not in it has no rules of its own. */
export function strategies(
  allocations: Allocations,
  labelsOfNode: (name: string) => Readonly<Record<string, string>>,
): ReadonlyMap<string, Strategy> {
  return new Map<string, Strategy>([
    ['Namespace', NAMESPACE],
    ['Node', NODE],
    ['Pod', podStrategy(labelsOfNode)],
    ['Service', serviceStrategy(allocations)],
    ['EndpointSlice.discovery.k8s.io', SLICE],
    ['NetworkPolicy.networking.k8s.io', POLICY],
    ['Event.events.k8s.io', EVENT],
    ['Deployment.apps', DEPLOYMENT],
    ['CustomResourceDefinition.apiextensions.k8s.io', DEFINITION],
  ]);
}

const NAMESPACE: Strategy = {
  defaults(namespace) {
    const { metadata } = namespace;
    metadata.labels = { ...metadata.labels, 'kubernetes.io/metadata.name': metadata.name };
  },
  prepareCreate(namespace) {
    namespace.spec = { finalizers: ['kubernetes'] };
    namespace.status = { phase: 'Active' };
  },
  prepareUpdate(namespace, old) {
    namespace.spec = old.spec;
  },
};

const NODE: Strategy = {
  defaults(node) {
    node.spec ??= {};
    node.status ??= {};
    const { spec, status } = node;
    if (spec.podCIDR && !spec.podCIDRs) spec.podCIDRs = [spec.podCIDR];
    status.daemonEndpoints ??= { kubeletEndpoint: { Port: 0 } };
    status.nodeInfo ??= {};
    for (const name of [
      'machineID',
      'systemUUID',
      'bootID',
      'kernelVersion',
      'osImage',
      'containerRuntimeVersion',
      'kubeletVersion',
      'kubeProxyVersion',
      'operatingSystem',
      'architecture',
    ]) {
      status.nodeInfo[name] ??= '';
    }
    for (const condition of status.conditions ?? []) {
      condition.lastHeartbeatTime ??= null;
      condition.lastTransitionTime ??= null;
    }
  },
  // The TaintNodesByCondition admission plugin.
  prepareCreate({ spec }) {
    const taint = { key: 'node.kubernetes.io/not-ready', effect: 'NoSchedule' };
    spec.taints ??= [];
    if (!spec.taints.some((held: Tree) => held.key === taint.key && held.effect === taint.effect)) {
      spec.taints.push(taint);
    }
  },
  check({ spec }, old) {
    const errors = (spec.taints ?? []).flatMap((taint: Tree, index: number) =>
      ['NoSchedule', 'PreferNoSchedule', 'NoExecute'].includes(taint.effect)
        ? []
        : [
            unsupported(`spec.taints[${index}].effect`, taint.effect, [
              'NoExecute',
              'NoSchedule',
              'PreferNoSchedule',
            ]),
          ],
    );
    if (old?.spec.podCIDR && spec.podCIDR !== old.spec.podCIDR) {
      errors.push({
        reason: 'FieldValueForbidden',
        field: 'spec.podCIDRs',
        message: 'Forbidden: node updates may not change podCIDR except from "" to valid',
      });
    }
    return errors;
  },
};

const ADDRESS_TYPES = ['FQDN', 'IPv4', 'IPv6'];

const SLICE: Strategy = {
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
    if (!ipaddr.isValid(address)) {
      return [
        invalid(path, address, 'must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)'),
      ];
    }
    if (familyOf(address) !== type) return [invalid(path, address, `must be an ${type} address`)];
    const range = ipaddr.parse(address).range();
    return range === 'loopback' || range === 'unspecified' || range === 'linkLocal'
      ? [invalid(path, address, `may not be in the ${range} range`)]
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

const POLICY: Strategy = {
  defaults(policy) {
    policy.spec ??= {};
    const { spec } = policy;
    spec.podSelector ??= {};
    if (!spec.policyTypes?.length) {
      spec.policyTypes = spec.egress?.length ? ['Ingress', 'Egress'] : ['Ingress'];
    }
    for (const rule of [...(spec.ingress ?? []), ...(spec.egress ?? [])]) {
      for (const port of rule.ports ?? []) port.protocol ??= 'TCP';
    }
  },
  check({ spec }) {
    const errors: FieldError[] = [];
    for (const [index, type] of spec.policyTypes.entries()) {
      if (type !== 'Ingress' && type !== 'Egress') {
        errors.push(unsupported(`spec.policyTypes[${index}]`, type, ['Egress', 'Ingress']));
      }
    }
    for (const [direction, peers] of [
      ['ingress', 'from'],
      ['egress', 'to'],
    ] as const) {
      for (const [index, rule] of (spec[direction] ?? []).entries()) {
        const field = `spec.${direction}[${index}]`;
        errors.push(...checkRulePorts(`${field}.ports`, rule.ports ?? []));
        for (const [place, peer] of (rule[peers] ?? []).entries()) {
          errors.push(...checkPeer(`${field}.${peers}[${place}]`, peer));
        }
      }
    }
    return errors;
  },
};

function checkRulePorts(field: string, ports: readonly Tree[]): FieldError[] {
  return ports.flatMap(({ port, endPort, protocol }, index) => {
    const errors: FieldError[] = [];
    const path = `${field}[${index}]`;
    if (!PROTOCOLS.includes(protocol)) {
      errors.push(unsupported(`${path}.protocol`, protocol, PROTOCOLS));
    }
    if (typeof port === 'number') errors.push(...checkPort(`${path}.port`, port));
    if (endPort !== undefined && (typeof port !== 'number' || endPort < port)) {
      const why = 'must be greater than or equal to `port`';
      errors.push(invalid(`${path}.endPort`, endPort, why));
    }
    return errors;
  });
}

function checkPeer(field: string, peer: Tree): FieldError[] {
  const selected = peer.podSelector !== undefined || peer.namespaceSelector !== undefined;
  if (!selected && !peer.ipBlock) return [required(field, 'must specify a peer')];
  if (!peer.ipBlock) return [];
  if (selected) {
    return [
      {
        reason: 'FieldValueForbidden',
        field,
        message: 'Forbidden: may not specify both ipBlock and another peer',
      },
    ];
  }
  const { cidr, except = [] } = peer.ipBlock;
  if (!ipaddr.isValidCIDR(String(cidr))) {
    const why = 'must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)';
    return [invalid(`${field}.ipBlock.cidr`, cidr, why)];
  }
  const [base, length] = ipaddr.parseCIDR(cidr);
  return except.flatMap((inner: string, index: number) => {
    const path = `${field}.ipBlock.except[${index}]`;
    if (!ipaddr.isValidCIDR(inner)) {
      return [
        invalid(path, inner, 'must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)'),
      ];
    }
    const [address, bits] = ipaddr.parseCIDR(inner);
    const isInside = address.kind() === base.kind() && bits > length && address.match(base, length);
    return isInside ? [] : [invalid(path, inner, `must be a strict subset of \`cidr\``)];
  });
}

const EVENT: Strategy = {
  check(event, old) {
    if (old) return [];
    const errors: FieldError[] = [];
    if (!event['eventTime']) errors.push(required('eventTime'));
    for (const name of ['reportingController', 'reportingInstance', 'action', 'reason']) {
      if (!event[name]) errors.push(required(name));
      else if (String(event[name]).length > 128) {
        errors.push(invalid(name, event[name], 'can have at most 128 characters'));
      }
    }
    if (!['Normal', 'Warning'].includes(event['type'])) {
      errors.push(invalid('type', event['type'] ?? '', 'has invalid value: '));
    }
    if (String(event['note'] ?? '').length > 1024) {
      errors.push(invalid('note', '', 'can have at most 1024 characters'));
    }
    const namespace = event['regarding']?.namespace || 'default';
    if (namespace !== event.metadata.namespace) {
      errors.push(invalid('involvedObject.namespace', namespace, 'does not match event.namespace'));
    }
    return errors;
  },
};

const DEPLOYMENT: Strategy = {
  defaults(deployment) {
    deployment.spec ??= {};
    const { spec } = deployment;
    spec.replicas ??= 1;
    spec.strategy ??= {
      type: 'RollingUpdate',
      rollingUpdate: { maxUnavailable: '25%', maxSurge: '25%' },
    };
    spec.revisionHistoryLimit ??= 10;
    spec.progressDeadlineSeconds ??= 600;
  },
  prepareCreate(deployment) {
    deployment.status = {};
  },
  check: ({ spec }) => (spec.selector ? [] : [required('spec.selector')]),
};

const DEFINITION: Strategy = {
  defaults({ spec }) {
    spec.names.singular ??= String(spec.names.kind).toLowerCase();
    spec.names.listKind ??= `${spec.names.kind}List`;
    spec.conversion ??= { strategy: 'None' };
  },
  // There is nothing to wait for: it is served at once.
  prepareCreate(definition) {
    const condition = (type: string, reason: string, message: string): Tree => ({
      type,
      status: 'True',
      lastTransitionTime: timestamp(),
      reason,
      message,
    });
    definition.status = {
      conditions: [
        condition('NamesAccepted', 'NoConflicts', 'no conflicts found'),
        condition('Established', 'InitialNamesAccepted', 'the initial names have been accepted'),
      ],
      acceptedNames: definition.spec.names,
      storedVersions: definition.spec.versions
        .filter((version: Tree) => version.storage)
        .map((version: Tree) => version.name),
    };
  },
  check: ({ metadata, spec }: KubeObject) => {
    const errors: FieldError[] = [];
    const name = `${spec.names.plural}.${spec.group}`;
    if (metadata.name !== name) {
      errors.push(
        invalid('metadata.name', metadata.name, `must be spec.names.plural+"."+spec.group`),
      );
    }
    const approval = 'api-approved.kubernetes.io';
    if (/(^|\.)(k8s|kubernetes)\.io$/.test(spec.group) && !metadata.annotations?.[approval]) {
      const why =
        'protected groups must have approval annotation "api-approved.kubernetes.io", see https://github.com/kubernetes/enhancements/pull/1111';
      errors.push(required(`metadata.annotations[${approval}]`, why));
    }
    return errors;
  },
};
