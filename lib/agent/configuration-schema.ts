// SPDX-License-Identifier: Apache-2.0
import { z } from 'zod';
import { INTERFACE_KEYS, MAX_SOCKET_BYTES } from '../model/check-interface.js';
import { isObjectName } from '../model/check-name.js';
import { ROUTE_KEYS } from '../model/check-route.js';
import { show } from '../model/explain.js';
import { INTERFACE_KINDS } from '../model/model.js';
import {
  CLOCKS,
  ENGINE_CHOICES,
  HUGEPAGES,
  OPTION_RANGES,
  TIMEOUT_KEYS,
  TIMEOUT_RANGE,
} from '../model/options.js';
import { expected, oneOf, text, wholeNumber } from '../sources/kubernetes/schema.js';
import { NO_SERVER, parseBindAddress } from './bind-address.js';
import { DURATION_PATTERN, parseDuration } from './duration.js';

// The one description of the agent's configuration: what is checked, and what the JSON Schema is
// made of. Interfaces, routes, node and options are checked by the model; here they are described.

export const API_VERSION = 'sluice.dev/v1alpha1';
export const KIND = 'AgentConfiguration';
export const DETECT_LOCAL_MODES = [
  'ClusterCIDR',
  'NodeCIDR',
  'BridgeInterface',
  'InterfaceNamePrefix',
] as const;
export const LOG_LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const;

/** Most connections of a family that an engine has room for. */
export const MAX_FLOWS = OPTION_RANGES.flows[1];
export const MAX_NODE_NAME = 253;
/** Longest name of a kernel's network device. */
const MAX_DEVICE_NAME = 15;

/** The name of a Node as kube-proxy makes it out of a host name. */
export function nodeNameOf(hostname: string): string {
  return hostname.trim().toLowerCase();
}

const objectOf = <T extends z.ZodRawShape>(shape: T) =>
  z.strictObject(shape, {
    error: (issue) =>
      issue.code === 'unrecognized_keys'
        ? undefined
        : `expected an object with ${Object.keys(shape).join(', ')}, found ${show(issue.input)}`,
  });

const flag = () => z.boolean(expected('true or false'));

/** A text that has to pass a test; `pattern` is what a JSON Schema can say of it. */
const textThat = (what: string, test: (value: string) => boolean, pattern?: string) =>
  text(what)
    .refine(test, expected(what))
    .meta(pattern === undefined ? {} : { pattern });

const duration = (what: string, test: (ms: number) => boolean = () => true) =>
  textThat(
    what,
    (value) => {
      const ms = parseDuration(value);
      return ms !== null && test(ms);
    },
    DURATION_PATTERN,
  );

/** Flows age in whole seconds. */
const timeout = (description: string) =>
  duration(
    'whole seconds, such as 24h or 1m30s; 0s for the default',
    (ms) => ms % 1_000 === 0 && ms <= TIMEOUT_RANGE[1] * 1_000,
  )
    .describe(description)
    .optional();

const bindAddress = (port: number, description: string) =>
  textThat(
    `ADDRESS:PORT such as 127.0.0.1:${port} or [::1]:${port}, or ${NO_SERVER}`,
    (value) => value === NO_SERVER || parseBindAddress(value, port) !== null,
  )
    .meta({ description })
    .optional();

const device = (what: string, description: string) =>
  textThat(
    `${what} of 1 to ${MAX_DEVICE_NAME} characters`,
    (value) => value !== '' && value.length <= MAX_DEVICE_NAME,
  )
    .describe(description)
    .optional();

const path = (description: string) =>
  textThat('a path', (value) => value !== '')
    .describe(description)
    .optional();

const socket = (description: string) =>
  textThat(
    `the path of a Unix socket, at most ${MAX_SOCKET_BYTES} bytes`,
    (value) => Buffer.byteLength(value) <= MAX_SOCKET_BYTES,
  )
    .describe(description)
    .optional();

const texts = (items: string, description: string) =>
  z
    .array(text('a text'), expected(`a list of ${items}`))
    .describe(description)
    .optional();

/** Checked by the model; `described` is its JSON Schema. */
const checkedByModel = (description: string, described: object) =>
  z
    .unknown()
    .meta({ description, ...described })
    .optional();

const NUMBERS = Object.fromEntries(
  Object.entries(OPTION_RANGES).map(([key, [minimum, maximum]]) => [
    key,
    { type: 'integer', minimum, maximum },
  ]),
);

const LISTS = { type: 'array', items: { type: 'string' } };

function specsOf(keys: readonly string[], more: Record<string, object>, required: string[]) {
  const properties = { ...Object.fromEntries(keys.map((key) => [key, {}])), ...more };
  const object = { type: 'object', required, properties, additionalProperties: false };
  return { type: 'array', items: { anyOf: [{ type: 'string' }, object] } };
}

export const conntrackSchema = objectOf({
  maxPerCore: wholeNumber('a whole number', 0, MAX_FLOWS)
    .describe('Connections of each family for each CPU; 0: the default of the engine')
    .optional(),
  min: wholeNumber('a whole number', 0, MAX_FLOWS)
    .describe('Connections of each family at least; not looked at where maxPerCore is 0')
    .optional(),
  tcpEstablishedTimeout: timeout('Idle TCP connections; default 24h'),
  tcpCloseWaitTimeout: timeout('TCP connections of which one side has ended; default 1h'),
  tcpBeLiberal: z
    .literal(true, expected('true: packets are never refused for being out of window'))
    .describe('Always true: packets are never refused for being out of window')
    .optional(),
  udpTimeout: timeout('UDP flows that nobody has answered; default 30s'),
  udpStreamTimeout: timeout('UDP flows that have been answered; default 2m'),
});

export const configurationSchema = objectOf({
  apiVersion: z.literal(API_VERSION, expected(API_VERSION)),
  kind: z.literal(KIND, expected(KIND)),
  clientConnection: objectOf({
    kubeconfig: path('Path of a kubeconfig file; default: the service account of the pod'),
    master: textThat(
      'the URL of an API server, such as https://10.0.0.1:6443',
      (value) => /^https?:\/\/[^\s/]+/.test(value),
      '^https?://',
    )
      .describe('URL of the API server, in place of that of the kubeconfig')
      .optional(),
    qps: z
      .number(expected('a number of requests a second'))
      .describe('Requests a second to the API server; 0: the default (50); below 0: no limit')
      .optional(),
    burst: wholeNumber('a whole number of requests', 0, 1_000_000)
      .describe('Requests at once to the API server; 0: the default (100)')
      .optional(),
  })
    .describe('How the API server is reached')
    .optional(),
  hostnameOverride: textThat(
    'the name of a Node object: a-z, 0-9, "-" and ".", such as worker-1',
    (value) => isObjectName(nodeNameOf(value), MAX_NODE_NAME),
  )
    .describe('Name of our Node object; default: the host name')
    .optional(),
  clusterCIDR: text('networks of pods, such as 10.244.0.0/16 or 10.244.0.0/16,fd00:1::/48')
    .describe('Networks of the pods of the cluster, one of each family at most, parted by a comma')
    .optional(),
  detectLocalMode: oneOf(DETECT_LOCAL_MODES)
    .describe(
      'Who is a local pod: ClusterCIDR (default), NodeCIDR, BridgeInterface or InterfaceNamePrefix',
    )
    .optional(),
  detectLocal: objectOf({
    bridgeInterface: device(
      'the name of an interface',
      'With BridgeInterface: the interface that local pods are behind',
    ),
    interfaceNamePrefix: device(
      'the beginning of names of interfaces',
      'With InterfaceNamePrefix: what the names of the interfaces of local pods begin with',
    ),
  }).optional(),
  nodePortAddresses: texts(
    'networks, or all, or primary',
    'Where node ports are served: networks, all (default), or primary, the first address of each family of the Node object',
  ),
  masqueradeAll: flag()
    .describe('Rewrite the source of everything that goes to a cluster IP; default false')
    .optional(),
  conntrack: conntrackSchema.describe('How many connections, and how long').optional(),
  healthzBindAddress: bindAddress(
    10256,
    'Where /healthz and /livez are served; default 0.0.0.0:10256; none: nowhere',
  ),
  metricsBindAddress: bindAddress(
    10249,
    'Where /metrics, /proxyMode and /configz are served; default 127.0.0.1:10249; none: nowhere',
  ),
  bindAddressHardFail: flag()
    .describe('End if one of these addresses cannot be bound; default false')
    .optional(),
  syncPeriod: duration('a duration above 0, such as 30s', (ms) => ms >= 1)
    .describe('After which time an update that failed is tried again; default 30s')
    .optional(),
  minSyncPeriod: duration('a duration, such as 5ms or 1s')
    .describe('Least time between two updates of the data plane; 0s: none; default 5ms')
    .optional(),
  drainPeriod: duration('a duration, such as 15s')
    .describe(
      'How long /healthz fails, and packets are forwarded, before SIGTERM ends the agent; default 0s',
    )
    .optional(),
  logging: objectOf({
    level: oneOf(LOG_LEVELS)
      .describe(`Least level of the logs: ${LOG_LEVELS.join(', ')}; default info`)
      .optional(),
  }).optional(),
  serviceProxyName: textThat('the name of a proxy', (value) => value !== '')
    .describe(
      'Serve only what carries this name in its label service.kubernetes.io/service-proxy-name; default: only what has no such label',
    )
    .optional(),
  policy: flag().describe('Enforce network policies; default true').optional(),
  interfaces: checkedByModel(
    'Interfaces: KIND:NAME[,key=value...], or objects in a file',
    specsOf(INTERFACE_KEYS, { kind: { enum: [...INTERFACE_KINDS] }, name: { type: 'string' } }, [
      'kind',
      'name',
    ]),
  ),
  routes: checkedByModel(
    'Routes: PREFIX,via=ADDRESS or PREFIX,dev=NAME, or objects in a file',
    specsOf(ROUTE_KEYS, { prefix: { type: 'string' } }, ['prefix']),
  ),
  node: objectOf({
    zone: text('the name of a zone')
      .describe('Zone of the node; default: the topology.kubernetes.io/zone of its Node object')
      .optional(),
    addresses: checkedByModel('Addresses of the node that are on no interface', LISTS),
    serviceNetworks: checkedByModel(
      'Networks that service addresses come from: what no service has of them is dropped',
      LISTS,
    ),
  })
    .describe('What is known of the node besides its Node object')
    .optional(),
  engine: oneOf(ENGINE_CHOICES)
    .describe('Engine: dpdk, software, or auto (default): dpdk where it can run')
    .optional(),
  options: checkedByModel('Limits and timeouts of the engine', {
    type: 'object',
    additionalProperties: false,
    properties: {
      ...NUMBERS,
      tcpPickup: { type: 'boolean' },
      hugepages: { enum: [...HUGEPAGES] },
      clock: { enum: [...CLOCKS] },
      timeouts: {
        type: 'object',
        additionalProperties: false,
        properties: Object.fromEntries(
          TIMEOUT_KEYS.map((key) => [
            key,
            { type: 'integer', minimum: TIMEOUT_RANGE[0], maximum: TIMEOUT_RANGE[1] },
          ]),
        ),
      },
    },
  }),
  control: socket('Control socket; default /run/sluice/control.sock for root'),
  lockFile: socket(
    'Socket that lets one agent be on a node; default /run/sluice/agent.lock for root',
  ),
});

/** What the schema says of a key, by its path: `conntrack.min`. */
export function descriptionOf(path: string): string | undefined {
  let schema: z.ZodType | undefined = configurationSchema;
  for (const key of path.split('.')) {
    if (schema instanceof z.ZodOptional) schema = schema.unwrap() as z.ZodType;
    schema = schema instanceof z.ZodObject ? (schema.shape[key] as z.ZodType) : undefined;
  }
  while (schema instanceof z.ZodOptional && schema.description === undefined)
    schema = schema.unwrap() as z.ZodType;
  return schema?.description;
}

/** The JSON Schema of a configuration file. */
export function configurationJsonSchema(): object {
  return { title: KIND, ...z.toJSONSchema(configurationSchema, { io: 'input' }) };
}
