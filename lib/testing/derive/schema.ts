// SPDX-License-Identifier: Apache-2.0
import { z } from 'zod';
import * as fields from '../../sources/kubernetes/fields.js';
import { ObjectMistake } from '../../sources/kubernetes/object-mistake.js';
import { readPodSpec as readGivenSpec, readPod } from '../../sources/kubernetes/read-pod.js';
import {
  expected,
  labels,
  listOf,
  metadata,
  objectOf,
  oneOf,
  text,
  wholeNumber,
} from '../../sources/kubernetes/schema.js';
import { labelSelector } from '../../sources/kubernetes/selector-schema.js';

/** As far as pods, their addresses and EndpointSlices can be told from them. */

const flag = z.boolean(expected('true or false')).default(false);

/** What a reader of the proxy's says, as a schema. */
export const ofReader = <T>(reader: (value: unknown) => T) =>
  z.unknown().transform((value, context): T => {
    try {
      return reader(value);
    } catch (error) {
      if (!(error instanceof ObjectMistake)) throw error;
      context.addIssue({ code: 'custom', message: error.message, path: [...error.parts] });
      return z.NEVER;
    }
  });

const readPodSpec = (value: unknown) => ({
  ...readGivenSpec(value),
  nodeSelector: fields.labels(fields.asObject(value, 'an object'), 'nodeSelector'),
});

const hostIp = (value: unknown) => fields.address(value, 'an IP address, or nothing', ['']);

const readStatus = (value: unknown) => {
  const status = fields.asObject(value, 'an object');
  const conditions = fields.list(status, 'conditions', 'conditions', (each) => {
    const raw = fields.asObject(each, 'a condition');
    return {
      type: fields.text(raw, 'type', 'a condition'),
      status: fields.text(raw, 'status', 'a status'),
    };
  });
  return { conditions, hostIP: fields.maybe(status, 'hostIP', hostIp) ?? '' };
};

export const podSchema = ofReader((value) => {
  const object = fields.asObject(value, 'an object');
  const { metadata, status } = readPod(value);
  const more = fields.maybe(object, 'status', readStatus) ?? { conditions: [], hostIP: '' };
  return {
    metadata,
    spec: fields.within(object, 'spec', readPodSpec),
    status: { ...status, ...more },
  };
});

const templateMetadata = objectOf({ labels }, 'an object with labels').prefault({});

export const workloadSchema = z.looseObject({
  metadata,
  spec: objectOf(
    {
      replicas: wholeNumber('a number', 0, 100_000).default(1),
      selector: labelSelector,
      template: objectOf(
        { metadata: templateMetadata, spec: ofReader(readPodSpec) },
        'the template of a pod with metadata and spec',
      ),
    },
    'an object with selector and template',
  ),
});

const targetPort = z.union(
  [wholeNumber('a port number', 1, 65_535), text('the name of a port').min(1)],
  expected('the number or name of a port of the pods'),
);

const families = listOf(oneOf(['IPv4', 'IPv6']), 'families');

/** What a Service says of its pods, and asks the API server for. */
export const serviceWishesSchema = z.looseObject({
  metadata,
  spec: objectOf(
    {
      selector: labels,
      ports: listOf(objectOf({ targetPort: targetPort.optional() }, 'a port'), 'ports'),
      ipFamilies: families,
      ipFamilyPolicy: oneOf(['SingleStack', 'PreferDualStack', 'RequireDualStack']).default(
        'SingleStack',
      ),
      publishNotReadyAddresses: flag,
      allocateLoadBalancerNodePorts: z.boolean(expected('true or false')).default(true),
    },
    'an object with ports',
  ),
});

/** What tells whose addresses a given EndpointSlice has. */
export const sliceTargetsSchema = z.looseObject({
  endpoints: listOf(
    objectOf(
      {
        targetRef: objectOf(
          { kind: text('a kind').default(''), name: text('a name').default('') },
          'a reference',
        ).optional(),
      },
      'an endpoint',
    ),
    'endpoints',
  ),
});

export type PodObject = z.output<typeof podSchema>;
export type PodSpec = PodObject['spec'];
export type WorkloadObject = z.output<typeof workloadSchema>;
export type ServiceWishes = z.output<typeof serviceWishesSchema>['spec'];
export type SelectorObject = z.output<typeof labelSelector>;
