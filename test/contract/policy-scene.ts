// SPDX-License-Identifier: Apache-2.0
import type { ExecutionContext } from 'ava';
import type { Cluster, PodManifest } from '../support/policy-oracle.js';
import { addressesOf, NAMESPACES, PARTIES, PODS } from '../support/policy-world.js';
import type { End } from './policy-dialogue.js';
import {
  ATTACHMENTS,
  type Attachment,
  HOST,
  interfaceOf,
  NODE,
  OUTSIDE,
  type PolicyNode,
} from './policy-node.js';

/** A node with its nine pods and no policies, in one family. */
export interface Scene {
  t: ExecutionContext;
  node: PolicyNode;
  /** `x/a` */
  pod(name: string): End;
  host: End;
  outside: End;
  family: 0 | 1;
  /** Puts the usual cluster in force, with some of it changed. */
  become(changed?: Partial<Cluster>, attachments?: readonly Attachment[]): Promise<void>;
}

export async function onScene(
  t: ExecutionContext,
  node: PolicyNode,
  family: 0 | 1,
  body: (scene: Scene) => Promise<void>,
): Promise<void> {
  const usual = { namespaces: NAMESPACES, pods: PODS, policies: [] };
  const become: Scene['become'] = (changed = {}, attachments = ATTACHMENTS) =>
    node.apply({ ...usual, ...changed }, attachments);
  await become();
  node.forget();
  await body({
    t,
    node,
    family,
    become,
    pod: (name) => {
      const [namespace, short] = name.split('/') as [string, string];
      const address = addressesOf(namespace, short)[family];
      return { at: interfaceOf(namespace, short), address };
    },
    host: { at: HOST, address: NODE[family][0] },
    outside: { at: OUTSIDE, address: PARTIES[family].at(-1)! },
  });
}

/** The usual pods, of which one has other labels. */
export const labelled = (name: string, labels: Record<string, string>): PodManifest[] =>
  PODS.map((pod) =>
    `${pod.metadata.namespace}/${pod.metadata.name}` === name
      ? { ...pod, metadata: { ...pod.metadata, labels } }
      : pod,
  );
/** The usual pods but one. */
export const without = (name: string) =>
  PODS.filter(({ metadata }) => `${metadata.namespace}/${metadata.name}` !== name);

/** A tenth pod, on an interface of its own. */
export const TENTH = {
  attachment: {
    interface: 'tenth',
    pod: 'x/d',
    addresses: ['10.1.1.4', 'fd00:1:1::4'],
  } satisfies Attachment,
  manifest: {
    metadata: { namespace: 'x', name: 'd', labels: { pod: 'd' } },
    spec: { containers: [] },
    status: { phase: 'Running', podIPs: [{ ip: '10.1.1.4' }, { ip: 'fd00:1:1::4' }] },
  } satisfies PodManifest,
  end: (family: 0 | 1): End => ({
    at: 'tenth',
    address: TENTH.attachment.addresses[family]!,
  }),
};
