// SPDX-License-Identifier: Apache-2.0
import type { KubeObject, Tree } from './objects.js';
import { sameJson } from './objects.js';
import { type FieldError, forbiddenField, required } from './status.js';
import type { Strategy } from './strategy.js';

/** Fields of a Pod's spec that may change once it exists. */
const CHANGEABLE = ['tolerations', 'terminationGracePeriodSeconds', 'activeDeadlineSeconds'];

const TOPOLOGY = ['topology.kubernetes.io/zone', 'topology.kubernetes.io/region'];

export function podStrategy(
  labelsOfNode: (name: string) => Readonly<Record<string, string>>,
): Strategy {
  return {
    ...COMMON,
    prepareCreate(pod) {
      COMMON.prepareCreate?.(pod);
      // The admission plugin PodTopologyLabels.
      const labels = Object.entries(labelsOfNode(pod.spec.nodeName ?? ''));
      const topology = labels.filter(([name]) => TOPOLOGY.includes(name));
      if (topology.length === 0) return;
      pod.metadata.labels = { ...pod.metadata.labels, ...Object.fromEntries(topology) };
    },
  };
}

const COMMON: Strategy = {
  defaults(pod) {
    pod.spec ??= {};
    const { spec } = pod;
    for (const container of spec.containers ?? []) defaultContainer(container);
    spec.restartPolicy ??= 'Always';
    spec.terminationGracePeriodSeconds ??= 30;
    spec.dnsPolicy ??= 'ClusterFirst';
    spec.securityContext ??= {};
    spec.schedulerName ??= 'default-scheduler';
    spec.enableServiceLinks ??= true;
    for (const condition of pod.status?.conditions ?? []) {
      condition.lastProbeTime ??= null;
      condition.lastTransitionTime ??= null;
    }
  },
  // What the admission plugins DefaultTolerationSeconds and Priority do is done here, too.
  prepareCreate(pod) {
    const { spec } = pod;
    spec.tolerations ??= [];
    for (const key of ['node.kubernetes.io/not-ready', 'node.kubernetes.io/unreachable']) {
      if (spec.tolerations.some((held: Tree) => held.key === key || !held.key)) continue;
      spec.tolerations.push({
        key,
        operator: 'Exists',
        effect: 'NoExecute',
        tolerationSeconds: 300,
      });
    }
    spec.priority ??= 0;
    spec.preemptionPolicy ??= 'PreemptLowerPriority';
    pod.status = { phase: 'Pending', qosClass: 'BestEffort' };
  },
  check(pod, old) {
    const errors: FieldError[] = [];
    if (!pod.spec.containers?.length) errors.push(required('spec.containers'));
    for (const [index, { name, image }] of (pod.spec.containers ?? []).entries()) {
      if (!name) errors.push(required(`spec.containers[${index}].name`));
      if (!image) errors.push(required(`spec.containers[${index}].image`));
    }
    if (old && !sameJson(fixed(pod), fixed(old))) {
      errors.push(
        forbiddenField(
          'spec',
          'pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)',
        ),
      );
    }
    return errors;
  },
};

function fixed({ spec }: KubeObject): Tree {
  const rest = { ...spec };
  for (const name of CHANGEABLE) delete rest[name];
  rest.containers = spec.containers.map(({ image: _, ...container }: Tree) => container);
  return rest;
}

function defaultContainer(container: Tree): void {
  for (const port of container.ports ?? []) port.protocol ??= 'TCP';
  container.resources ??= {};
  container.terminationMessagePath ??= '/dev/termination-log';
  container.terminationMessagePolicy ??= 'File';
  const [, tag = 'latest'] = /[:@]([^/]+)$/.exec(String(container.image)) ?? [];
  container.imagePullPolicy ??= tag === 'latest' ? 'Always' : 'IfNotPresent';
}

/** Seconds that a Pod is given to end, as the API server decides them. */
export function graceOf(pod: KubeObject, asked: number | undefined): number {
  const { spec, status } = pod;
  if (!spec?.nodeName || status?.phase === 'Failed' || status?.phase === 'Succeeded') return 0;
  const seconds = asked ?? spec.terminationGracePeriodSeconds ?? 30;
  return seconds < 0 ? 1 : seconds;
}
