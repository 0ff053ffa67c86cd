// SPDX-License-Identifier: Apache-2.0
import { z } from 'zod';
import { show } from '../../model/explain.js';
import {
  address,
  listOf,
  metadata,
  network,
  objectOf,
  oneOf,
  portName,
  protocol,
  text,
  wholeNumber,
} from './schema.js';

/** Three hours: what the API server fills in. */
const DEFAULT_AFFINITY_SECONDS = 10_800;
const MAX_AFFINITY_SECONDS = 86_400;

const clusterIp = address('an IP address, None, or nothing', ['', 'None']);
const policy = oneOf(['Cluster', 'Local']).default('Cluster');

const servicePort = objectOf(
  {
    name: portName.default(''),
    protocol,
    port: wholeNumber('a port number', 1, 65_535),
    nodePort: wholeNumber('a port number', 0, 65_535).default(0),
  },
  'a port',
);

const clientIp = objectOf(
  {
    timeoutSeconds: wholeNumber('seconds', 1, MAX_AFFINITY_SECONDS).default(
      DEFAULT_AFFINITY_SECONDS,
    ),
  },
  'an object with timeoutSeconds',
);

const spec = objectOf(
  {
    type: oneOf(['ClusterIP', 'NodePort', 'LoadBalancer', 'ExternalName']).default('ClusterIP'),
    clusterIP: clusterIp.default(''),
    clusterIPs: listOf(clusterIp, 'IP addresses'),
    externalIPs: listOf(address('an IP address'), 'IP addresses'),
    ports: listOf(servicePort, 'ports'),
    loadBalancerSourceRanges: listOf(
      network('a network such as 192.0.2.0/24 or 2001:db8::/32'),
      'networks',
    ),
    sessionAffinity: oneOf(['None', 'ClientIP']).default('None'),
    sessionAffinityConfig: objectOf({ clientIP: clientIp.optional() }, 'an object').optional(),
    internalTrafficPolicy: policy,
    externalTrafficPolicy: policy,
    healthCheckNodePort: wholeNumber('a port number', 0, 65_535).default(0),
  },
  'an object with ports',
);

const ingress = objectOf(
  {
    ip: address('an IP address, or nothing', ['']).default(''),
    hostname: text('a host name').optional(),
    ipMode: oneOf(['VIP', 'Proxy']).default('VIP'),
  },
  'an ingress point',
);

const status = objectOf(
  {
    loadBalancer: objectOf({ ingress: listOf(ingress, 'ingress points') }, 'an object').optional(),
  },
  'an object',
).optional();

export const serviceSchema = z
  .looseObject({ metadata, spec, status })
  .superRefine((service, context) => checkPorts(service.spec, context));

/** Seconds that a client keeps its backend; 0: it does not. */
export function affinitySeconds({
  sessionAffinity,
  sessionAffinityConfig,
}: z.output<typeof spec>): number {
  if (sessionAffinity === 'None') return 0;
  return sessionAffinityConfig?.clientIP?.timeoutSeconds ?? DEFAULT_AFFINITY_SECONDS;
}

function checkPorts(
  { type, clusterIP, ports }: z.output<typeof spec>,
  context: z.core.$RefinementCtx<unknown>,
): void {
  const refuse = (path: PropertyKey[], message: string) =>
    context.addIssue({ code: 'custom', message, path: ['spec', 'ports', ...path] });
  const headless = clusterIP === 'None' || type === 'ExternalName';
  if (ports.length === 0 && !headless) refuse([], 'expected at least one port, found none');
  const names = new Map<string, number>();
  const numbers = new Map<string, number>();
  ports.forEach((port, index) => {
    if (port.name === '' && ports.length > 1) {
      refuse([index, 'name'], 'expected a name (a service of several ports), found nothing');
    }
    const sameName = names.get(port.name);
    if (sameName !== undefined) {
      const whose = `${show(port.name)} is the name of ports[${sameName}]`;
      refuse([index, 'name'], `${whose}; port names must differ`);
    }
    names.set(port.name, index);
    const number = `${port.port}/${port.protocol}`;
    const sameNumber = numbers.get(number);
    if (sameNumber !== undefined) {
      const whose = `${number} is ports[${sameNumber}] already`;
      refuse([index, 'port'], `${whose}; give another port or protocol`);
    }
    numbers.set(number, index);
  });
}
