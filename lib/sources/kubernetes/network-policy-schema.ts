// SPDX-License-Identifier: Apache-2.0
import { z } from 'zod';
import { contains, parsePrefix } from '../../model/address.js';
import { isObjectName } from '../../model/check-name.js';
import { show } from '../../model/explain.js';
import { listOf, metadata, network, objectOf, oneOf, protocol, wholeNumber } from './schema.js';
import { labelSelector } from './selector-schema.js';

const cidr = network('a network such as 10.0.0.0/8 or fd00::/8');

const ipBlock = objectOf(
  { cidr, except: listOf(cidr, 'networks') },
  'an object with cidr',
).superRefine((block, context) => {
  const whole = parsePrefix(block.cidr)!;
  block.except.forEach((text, index) => {
    const part = parsePrefix(text)!;
    if (part.length >= whole.length && contains(whole, part.bytes)) return;
    const message = `expected a network within ${show(block.cidr)}, found ${show(text)}`;
    context.addIssue({ code: 'custom', message, path: ['except', index] });
  });
});

const peer = objectOf(
  {
    podSelector: labelSelector.optional(),
    namespaceSelector: labelSelector.optional(),
    ipBlock: ipBlock.optional(),
  },
  'a peer',
);

const portNumber = wholeNumber('a port number', 1, 65_535);

const port = objectOf(
  {
    protocol,
    port: z
      .union([portNumber, z.string().refine((name) => isObjectName(name, 63))], {
        error: (issue) => `expected a port by number or name, found ${show(issue.input)}`,
      })
      .optional(),
    endPort: portNumber.optional(),
  },
  'a port',
).superRefine(({ port: first, endPort }, context) => {
  if (endPort === undefined || (typeof first === 'number' && endPort >= first)) return;
  const rule =
    typeof first === 'number' ? `a port from ${first} on` : 'none (the port is no number)';
  const message = `expected ${rule}, found ${endPort}`;
  context.addIssue({ code: 'custom', message, path: ['endPort'] });
});

const ports = listOf(port, 'ports');
const peers = listOf(peer, 'peers');

const spec = objectOf(
  {
    podSelector: labelSelector.optional(),
    policyTypes: listOf(oneOf(['Ingress', 'Egress']), 'directions'),
    ingress: listOf(objectOf({ from: peers, ports }, 'a rule'), 'rules'),
    egress: listOf(objectOf({ to: peers, ports }, 'a rule'), 'rules'),
  },
  'an object',
);

/** A networking.k8s.io/v1 NetworkPolicy. */
export const networkPolicySchema = z.object({ metadata, spec });
