// SPDX-License-Identifier: Apache-2.0
import type { Allocations } from './allocation.js';
import { type KubeObject, type Tree, timestamp } from './objects.js';
import { podStrategy } from './pods.js';
import { policyStrategy } from './policies.js';
import { serviceStrategy } from './services.js';
import { sliceStrategy } from './slices.js';
import { type FieldError, invalid, required, unsupported } from './status.js';
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
    ['EndpointSlice.discovery.k8s.io', sliceStrategy],
    ['NetworkPolicy.networking.k8s.io', policyStrategy],
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
