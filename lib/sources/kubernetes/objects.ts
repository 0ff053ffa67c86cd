// SPDX-License-Identifier: Apache-2.0
import { z } from 'zod';
import { canonicalIpv4, isMartian, parseIpv4, parseIpv6 } from '../../model/address.js';
import { isObjectName } from '../../model/check-service.js';
import { show, unknownWord } from '../../model/explain.js';

/**
 * Service and EndpointSlice as far as the proxy reads them. The schemas are loose on unknown
 * fields, because Kubernetes adds fields, and strict on those that are read. Defaults are those
 * that the API server fills in.
 */

/** Says what was found under a schema's own words on what is expected. */
const expected = (what: string) => ({
  error: (issue: { input?: unknown }) => `expected ${what}, found ${show(issue.input)}`,
});

const oneOf = <const T extends readonly [string, ...string[]]>(words: T) =>
  z.enum(words, { error: (issue) => unknownWord(issue.input, words) });

const text = (what: string) => z.string(expected(what));

const objectName = (what: string) => {
  const rule = `${what} of lower-case letters, digits, "-" and "."`;
  return text(rule).refine((name) => isObjectName(name, 253), expected(rule));
};

const portNumber = (what: string, min: number) => {
  const rule = `${what} from ${min} to 65535`;
  return z.int(expected(rule)).min(min, expected(rule)).max(65_535, expected(rule));
};

/**
 * IPv4 in canonical form, or IPv6 as it is.
 * @param words - what may stand in place of an address
 */
const address = (what: string, words: readonly string[] = []) =>
  text(what).transform((value, context) => {
    if (words.includes(value)) return value;
    const canonical = canonicalIpv4(value) ?? (parseIpv6(value) === null ? null : value);
    if (canonical === null) {
      context.addIssue({ code: 'custom', message: `expected ${what}, found ${show(value)}` });
      return z.NEVER;
    }
    const bytes = parseIpv4(canonical);
    if (bytes !== null && isMartian(bytes)) {
      const rule = 'a unicast address outside 0.0.0.0/8, 127.0.0.0/8 and 224.0.0.0/3';
      context.addIssue({ code: 'custom', message: `expected ${rule}, found ${show(value)}` });
      return z.NEVER;
    }
    return canonical;
  });

const labels = z
  .record(z.string(), text('a text (quote numbers and booleans)'), expected('an object of labels'))
  .default({});

const metadata = z.looseObject(
  {
    name: objectName('a name'),
    namespace: text('the name of a namespace')
      .refine((name) => isObjectName(name, 63), expected('the name of a namespace'))
      .default('default'),
    labels,
  },
  expected('an object with the name'),
);

const protocol = oneOf(['TCP', 'UDP', 'SCTP']).default('TCP');
const portName = text('a name').refine(
  (name) => name === '' || isObjectName(name, 63),
  expected('a name of lower-case letters, digits and "-"'),
);

const clusterIp = address('an IP address, None, or nothing', ['', 'None']);

const servicePort = z.looseObject(
  {
    name: portName.default(''),
    protocol,
    port: portNumber('a port number', 1),
    nodePort: portNumber('a port number', 0).optional(),
  },
  expected('a port'),
);

const serviceSpec = z.looseObject(
  {
    type: oneOf(['ClusterIP', 'NodePort', 'LoadBalancer', 'ExternalName']).default('ClusterIP'),
    clusterIP: clusterIp.optional(),
    clusterIPs: z.array(clusterIp, expected('a list of IP addresses')).default([]),
    externalIPs: z.array(address('an IP address'), expected('a list of IP addresses')).default([]),
    ports: z.array(servicePort, expected('a list of ports')).default([]),
    sessionAffinity: oneOf(['None', 'ClientIP']).default('None'),
    internalTrafficPolicy: oneOf(['Cluster', 'Local']).default('Cluster'),
  },
  expected('an object with ports'),
);

export const serviceSchema = z
  .looseObject({ metadata, spec: serviceSpec })
  .superRefine((service, context) => checkServicePorts(service.spec, context));

const conditions = z.looseObject(
  {
    ready: z.boolean(expected('true or false')).default(true),
    serving: z.boolean(expected('true or false')).default(true),
    terminating: z.boolean(expected('true or false')).default(false),
  },
  expected('an object with ready, serving and terminating'),
);

const endpoint = z.looseObject(
  {
    addresses: z.array(text('an address'), expected('a list of addresses')).default([]),
    conditions: conditions.default({ ready: true, serving: true, terminating: false }),
    nodeName: text('the name of a node').optional(),
  },
  expected('an endpoint'),
);

const slicePort = z.looseObject(
  {
    name: portName.default(''),
    protocol,
    port: portNumber('a port number', 0).optional(),
  },
  expected('a port'),
);

export const endpointSliceSchema = z
  .looseObject({
    metadata,
    addressType: oneOf(['IPv4', 'IPv6', 'FQDN']),
    endpoints: z.array(endpoint, expected('a list of endpoints')).default([]),
    ports: z.array(slicePort, expected('a list of ports')).default([]),
  })
  .superRefine((slice, context) => {
    if (slice.addressType !== 'IPv4') return;
    slice.endpoints.forEach((row, index) => {
      row.addresses.forEach((value, position) => {
        const message = ipv4Mistake(value);
        if (message === null) return;
        const path = ['endpoints', index, 'addresses', position];
        context.addIssue({ code: 'custom', message, path });
      });
    });
  });

/** A core/v1 Service. */
export type ServiceObject = z.output<typeof serviceSchema>;
/** A discovery.k8s.io/v1 EndpointSlice. */
export type EndpointSliceObject = z.output<typeof endpointSliceSchema>;

/** What a source hands over for translation. */
export interface KubernetesObjects {
  services: ServiceObject[];
  endpointSlices: EndpointSliceObject[];
}

/** What is wrong with an object, and where. */
export class ObjectMistake extends Error {
  /** `spec.ports[0].port`; empty: the object as a whole. */
  readonly path: string;

  constructor(path: string, message: string) {
    super(message);
    this.path = path;
  }
}

/** @throws ObjectMistake with the first mistake */
export function readService(value: unknown): ServiceObject {
  return read(serviceSchema, value);
}

/** @throws ObjectMistake with the first mistake */
export function readEndpointSlice(value: unknown): EndpointSliceObject {
  return read(endpointSliceSchema, value);
}

function read<T>(schema: z.ZodType<T>, value: unknown): T {
  const result = schema.safeParse(withoutNulls(value), { reportInput: true });
  if (result.success) return result.data;
  const issue = result.error.issues[0]!;
  throw new ObjectMistake(fieldPath(issue.path), issue.message);
}

/** To Kubernetes a key with `null` is a key that is left out. */
function withoutNulls(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNulls);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([key, inner]) => inner !== null && key !== 'managedFields')
      .map(([key, inner]) => [key, withoutNulls(inner)]),
  );
}

function fieldPath(path: readonly PropertyKey[]): string {
  return path
    .map((part) => {
      if (typeof part === 'number') return `[${part}]`;
      return /^[A-Za-z0-9_]+$/.test(String(part)) ? `.${String(part)}` : `["${String(part)}"]`;
    })
    .join('')
    .replace(/^\./, '');
}

function ipv4Mistake(value: string): string | null {
  const canonical = canonicalIpv4(value);
  if (canonical === null) {
    const found = `found ${show(value)}`;
    return `expected an IPv4 address (the slice's addressType is IPv4), ${found}`;
  }
  if (!isMartian(parseIpv4(canonical)!)) return null;
  const rule = 'a unicast address outside 0.0.0.0/8, 127.0.0.0/8 and 224.0.0.0/3';
  return `expected ${rule}, found ${show(value)}`;
}

function checkServicePorts(
  spec: z.output<typeof serviceSpec>,
  context: z.core.$RefinementCtx<unknown>,
): void {
  const headless = spec.clusterIP === 'None' || spec.type === 'ExternalName';
  if (spec.ports.length === 0 && !headless) {
    const message = 'expected at least one port, found none';
    context.addIssue({ code: 'custom', message, path: ['spec', 'ports'] });
  }
  const names = new Map<string, number>();
  const numbers = new Map<string, number>();
  spec.ports.forEach((port, index) => {
    const at = (field: string) => ['spec', 'ports', index, field];
    if (port.name === '' && spec.ports.length > 1) {
      const message = 'expected a name (a service of several ports), found nothing';
      context.addIssue({ code: 'custom', message, path: at('name') });
    }
    const sameName = names.get(port.name);
    if (sameName !== undefined) {
      const message = `${show(port.name)} is the name of ports[${sameName}]; port names must differ`;
      context.addIssue({ code: 'custom', message, path: at('name') });
    }
    names.set(port.name, index);
    const number = `${port.port}/${port.protocol}`;
    const sameNumber = numbers.get(number);
    if (sameNumber !== undefined) {
      const message = `${number} is ports[${sameNumber}] already; give another port or protocol`;
      context.addIssue({ code: 'custom', message, path: at('port') });
    }
    numbers.set(number, index);
  });
}
