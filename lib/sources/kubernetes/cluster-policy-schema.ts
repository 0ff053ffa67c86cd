// SPDX-License-Identifier: Apache-2.0
import { z } from 'zod';
import {
  expected,
  listOf,
  metadata,
  network,
  objectOf,
  oneOf,
  portName,
  text,
  wholeNumber,
} from './schema.js';
import { labelSelector } from './selector-schema.js';

const MAX_PRIORITY = 1_000;

const pods = objectOf(
  { namespaceSelector: labelSelector.optional(), podSelector: labelSelector.optional() },
  'an object with namespaceSelector and podSelector',
);

const subject = objectOf(
  { namespaces: labelSelector.optional(), pods: pods.optional() },
  'an object with namespaces or pods',
).superRefine((given, context) => {
  if ((given.namespaces === undefined) !== (given.pods === undefined)) return;
  context.addIssue({ code: 'custom', message: 'expected either namespaces or pods' });
});

const ingressPeer = objectOf(
  { namespaces: labelSelector.optional(), pods: pods.optional() },
  'a peer',
);

const egressPeer = ingressPeer.extend({
  networks: z
    .array(network('a network such as 10.0.0.0/8 or fd00::/8'), expected('a list of networks'))
    .optional(),
});

const portNumber = wholeNumber('a port number', 1, 65_535);

const destinationPort = objectOf(
  {
    number: portNumber.optional(),
    range: objectOf({ start: portNumber, end: portNumber }, 'an object with start and end')
      .superRefine(({ start, end }, context) => {
        if (end >= start) return;
        const message = `expected a port from ${start} on, found ${end}`;
        context.addIssue({ code: 'custom', message, path: ['end'] });
      })
      .optional(),
  },
  'an object with number or range',
);

const transport = objectOf(
  { destinationPort: destinationPort.optional() },
  'an object with destinationPort',
).optional();

const protocol = objectOf(
  {
    tcp: transport,
    udp: transport,
    sctp: transport,
    destinationNamedPort: portName.optional(),
  },
  'an object with tcp, udp, sctp or destinationNamedPort',
);

const rule = {
  name: text('the name of a rule').default(''),
  action: oneOf(['Accept', 'Deny', 'Pass']),
  protocols: listOf(protocol, 'protocols'),
};

const peersOf = <T extends z.ZodType>(peer: T) =>
  z.array(peer, expected('a list of peers')).min(1, expected('at least one peer'));

const spec = objectOf(
  {
    tier: oneOf(['Admin', 'Baseline']),
    priority: wholeNumber('a priority', 0, MAX_PRIORITY),
    subject,
    ingress: listOf(objectOf({ ...rule, from: peersOf(ingressPeer) }, 'a rule'), 'rules'),
    egress: listOf(objectOf({ ...rule, to: peersOf(egressPeer) }, 'a rule'), 'rules'),
  },
  'an object with tier, priority and subject',
);

/** A policy.networking.k8s.io/v1alpha2 ClusterNetworkPolicy. */
export const clusterNetworkPolicySchema = z.object({ metadata, spec });
