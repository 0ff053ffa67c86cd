// SPDX-License-Identifier: Apache-2.0
import { z } from 'zod';
import { expected, listOf, metadata, network, objectOf, text } from './schema.js';

const podNetwork = network('a network such as 10.1.0.0/24');

const taint = objectOf({ key: text('the key of a taint') }, 'a taint');

const spec = objectOf(
  {
    podCIDR: podNetwork.optional(),
    podCIDRs: listOf(podNetwork, 'networks'),
    unschedulable: z.boolean(expected('true or false')).default(false),
    taints: listOf(taint, 'taints'),
  },
  'an object',
).optional();

const nodeAddress = objectOf(
  { type: text('the type of an address'), address: text('an address') },
  'an address',
);

const condition = objectOf(
  { type: text('the type of a condition'), status: text('True, False or Unknown') },
  'a condition',
);

const status = objectOf(
  {
    addresses: listOf(nodeAddress, 'addresses'),
    conditions: listOf(condition, 'conditions'),
  },
  'an object',
).optional();

const annotations = z
  .record(z.string(), text('a text (quote numbers and booleans)'), expected('an object'))
  .default({});

export const nodeSchema = z.object({
  metadata: metadata.extend({ annotations, deletionTimestamp: text('a time').optional() }),
  spec,
  status,
});
