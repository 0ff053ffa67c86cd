// SPDX-License-Identifier: Apache-2.0
import { z } from 'zod';
import {
  address,
  listOf,
  metadata,
  objectOf,
  portName,
  protocol,
  text,
  wholeNumber,
} from './schema.js';

const containerPort = objectOf(
  {
    name: portName.default(''),
    containerPort: wholeNumber('a port number', 1, 65_535),
    protocol,
  },
  'a port',
);

const container = objectOf(
  {
    ports: listOf(containerPort, 'ports'),
    restartPolicy: text('a restart policy').optional(),
  },
  'a container',
);

const podIp = address('an IP address, or nothing', ['']);

const spec = objectOf(
  {
    nodeName: text('the name of a node').default(''),
    hostNetwork: z.boolean('expected true or false').default(false),
    containers: listOf(container, 'containers'),
    initContainers: listOf(container, 'containers'),
  },
  'an object with containers',
);

const status = objectOf(
  {
    phase: text('the phase of a pod').default(''),
    podIP: podIp.default(''),
    podIPs: listOf(objectOf({ ip: podIp.default('') }, 'an object with ip'), 'addresses'),
  },
  'an object',
).optional();

export const podSchema = z.looseObject({
  metadata: metadata.extend({ deletionTimestamp: text('a time').optional() }),
  spec,
  status,
});

export const namespaceSchema = z.looseObject({ metadata });
