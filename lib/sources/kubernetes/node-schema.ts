// SPDX-License-Identifier: Apache-2.0
import { z } from 'zod';
import { listOf, metadata, network, objectOf, text } from './schema.js';

const podNetwork = network('a network such as 10.1.0.0/24');

const spec = objectOf(
  { podCIDR: podNetwork.optional(), podCIDRs: listOf(podNetwork, 'networks') },
  'an object',
).optional();

const nodeAddress = objectOf(
  { type: text('the type of an address'), address: text('an address') },
  'an address',
);

const status = objectOf({ addresses: listOf(nodeAddress, 'addresses') }, 'an object').optional();

export const nodeSchema = z.looseObject({ metadata, spec, status });
