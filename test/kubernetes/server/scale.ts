// SPDX-License-Identifier: Apache-2.0
import { clone, type KubeObject, type Tree } from './objects.js';
import { badRequest } from './status.js';

/** What the `scale` subresource shows of an object. */
export function scaleOf({ metadata, spec, status }: KubeObject): Tree {
  const { name, namespace, uid, resourceVersion, creationTimestamp } = metadata;
  const labels = Object.entries(spec?.selector?.matchLabels ?? {});
  return {
    kind: 'Scale',
    apiVersion: 'autoscaling/v1',
    metadata: { name, namespace, uid, resourceVersion, creationTimestamp },
    spec: { replicas: spec?.replicas ?? 0 },
    status: {
      replicas: status?.replicas ?? 0,
      selector: labels.map(([key, value]) => `${key}=${value}`).join(','),
    },
  };
}

/** The object with the replicas that a Scale asks for. */
export function scaled(object: KubeObject, scale: Tree): KubeObject {
  if (scale?.kind !== 'Scale') throw badRequest('a Scale is expected');
  const { resourceVersion } = scale.metadata ?? {};
  return {
    ...clone(object),
    metadata: { ...object.metadata, resourceVersion },
    spec: { ...object.spec, replicas: scale.spec?.replicas ?? 0 },
  };
}
