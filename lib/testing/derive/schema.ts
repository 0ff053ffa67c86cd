// SPDX-License-Identifier: Apache-2.0
import { z } from 'zod';
import { podSchema as given } from '../../sources/kubernetes/pod-schema.js';
import {
  address,
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

const podSpec = given.shape.spec.extend({ nodeSelector: labels });

const condition = objectOf({ type: text('a condition'), status: text('a status') }, 'a condition');

export const podSchema = given.extend({
  spec: podSpec,
  status: given.shape.status
    .unwrap()
    .extend({
      conditions: listOf(condition, 'conditions'),
      hostIP: address('an IP address, or nothing', ['']).default(''),
    })
    .prefault({}),
});

const templateMetadata = objectOf({ labels }, 'an object with labels').prefault({});

export const workloadSchema = z.looseObject({
  metadata,
  spec: objectOf(
    {
      replicas: wholeNumber('a number', 0, 100_000).default(1),
      selector: labelSelector,
      template: objectOf(
        { metadata: templateMetadata, spec: podSpec },
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
