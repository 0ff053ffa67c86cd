// SPDX-License-Identifier: Apache-2.0
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { parse } from 'yaml';
import { z } from 'zod';
import { CONFIGURATION_PATHS } from '../../lib/agent/configuration.js';
import { configurationJsonSchema } from '../../lib/agent/configuration-schema.js';
import { formatConfiguration, shownConfiguration } from '../../lib/agent/effective.js';
import { STRANGE_KEYS } from '../../lib/agent/strange-keys.js';
import { ENGINE_DEFAULTS } from '../../lib/engine/engine.js';
import { effective, effectiveOf, HEAD, SURROUNDINGS } from '../support/agent-configuration.js';
import { folderOf } from '../support/cli.js';
import { KUBE_PROXY_KEYS } from '../support/kube-proxy.js';

const SCHEMA = new URL('../../schemas/agent-configuration.schema.json', import.meta.url);
const REFERENCE = new URL('../../docs/reference/agent.md', import.meta.url);
const PACKAGE = new URL('../../package.json', import.meta.url);

test('nothing given: every default is filled in', async (t) => {
  const { document, warnings, open, ...rest } = await effective({});
  t.deepEqual(rest, {
    nodeName: 'node-1.example',
    api: { kubeconfig: null, master: null, qps: 50, burst: 100 },
    healthz: { host: null, port: 10256 },
    metrics: { host: '127.0.0.1', port: 10249 },
    bindAddressHardFail: false,
    syncPeriod: 30_000,
    minSyncPeriod: 5,
    drainPeriod: 0,
    serviceProxyName: null,
    policy: true,
    detectLocal: { mode: 'ClusterCIDR', networks: [] },
    podNetworksFromNode: false,
    node: {
      name: 'node-1.example',
      nodePortAddresses: ['all'],
      masqueradeAll: false,
      podNetworks: [],
    },
    interfaces: [],
    routes: [],
    control: SURROUNDINGS.control,
    lockFile: SURROUNDINGS.lockFile,
    logLevel: 'info',
  });
  t.like(open, { engine: 'auto' });
  t.deepEqual(document.options, ENGINE_DEFAULTS);
  t.deepEqual(warnings, [
    'clusterCIDR is not given, and no interface is of scope pod: nobody can be told to be a local pod',
  ]);
});

const FULL = `${HEAD}
clientConnection: { kubeconfig: /etc/kubeconfig, master: "https://10.0.0.1:6443", qps: 5.5, burst: 10 }
hostnameOverride: " Worker-7 "
clusterCIDR: 10.244.0.0/16, fd00:1::/48
detectLocalMode: ClusterCIDR
nodePortAddresses: [primary, 10.0.0.0/8]
masqueradeAll: true
conntrack:
  maxPerCore: 1000
  min: 2000
  tcpEstablishedTimeout: 1h
  tcpCloseWaitTimeout: 1m30s
  tcpBeLiberal: true
  udpTimeout: 0s
  udpStreamTimeout: 300s
healthzBindAddress: "[::]:1"
metricsBindAddress: none
bindAddressHardFail: true
syncPeriod: 1m
minSyncPeriod: 0s
drainPeriod: 15s
logging: { level: debug }
serviceProxyName: sluice
policy: false
interfaces:
  - memif:up,socket=/run/sluice/up.sock,secret=hush,address=10.0.0.1/24
  - { kind: tap, name: web-1, netns: web-1, scope: pod }
routes: ["10.9.0.0/16,via=10.0.0.254"]
node: { zone: a, addresses: [10.0.0.9], serviceNetworks: [10.96.0.0/12] }
engine: software
options: { workers: 2, routes: 100, timeouts: { icmp: 5 } }
control: /run/c.sock
lockFile: /run/l.sock
`;

test('every key has its effect', async (t) => {
  const { document, open, ...rest } = await effectiveOf(t, FULL);
  t.deepEqual(rest, {
    nodeName: 'worker-7',
    api: { kubeconfig: '/etc/kubeconfig', master: 'https://10.0.0.1:6443', qps: 5.5, burst: 10 },
    healthz: { host: null, port: 1 },
    metrics: null,
    bindAddressHardFail: true,
    syncPeriod: 60_000,
    minSyncPeriod: 0,
    drainPeriod: 15_000,
    serviceProxyName: 'sluice',
    policy: false,
    detectLocal: { mode: 'ClusterCIDR', networks: ['10.244.0.0/16', 'fd00:1::/48'] },
    podNetworksFromNode: false,
    node: {
      name: 'worker-7',
      zone: 'a',
      addresses: ['10.0.0.9'],
      nodePortAddresses: ['primary', '10.0.0.0/8'],
      masqueradeAll: true,
      podNetworks: ['10.244.0.0/16', 'fd00:1::/48'],
      serviceNetworks: ['10.96.0.0/12'],
    },
    interfaces: [
      {
        kind: 'memif',
        name: 'up',
        socket: '/run/sluice/up.sock',
        secret: 'hush',
        addresses: ['10.0.0.1/24'],
      },
      { kind: 'tap', name: 'web-1', netns: 'web-1', scope: 'pod' },
    ],
    routes: [{ prefix: '10.9.0.0/16', via: '10.0.0.254' }],
    control: '/run/c.sock',
    lockFile: '/run/l.sock',
    logLevel: 'debug',
    warnings: [],
  });
  t.deepEqual(open, {
    engine: 'software',
    workers: 2,
    maxRoutes: 100,
    flows: 4_000,
    flows6: 4_000,
    timeouts: { icmp: 5, tcpEstablished: 3_600, tcpCloseWait: 90, udpStream: 300 },
  });
});

test('the configuration in force reads back as the same', async (t) => {
  for (const text of [HEAD, FULL]) {
    const first = await effectiveOf(t, text);
    const again = await effectiveOf(t, formatConfiguration(first));
    t.deepEqual(again.document, first.document);
    const { open: _, document: __, ...rest } = first;
    t.like(again, rest);
  }
});

test('secrets are not shown', async (t) => {
  const configuration = await effectiveOf(t, FULL);
  t.false(JSON.stringify(shownConfiguration(configuration)).includes('hush'));
  t.true(formatConfiguration(configuration).includes('hush'));
});

test('what is empty is left out, as in the file that kubeadm writes for kube-proxy', async (t) => {
  const empty = await effectiveOf(
    t,
    `${HEAD}
clientConnection: { burst: 0, qps: 0, kubeconfig: "" }
clusterCIDR: ""
conntrack: { maxPerCore: null, min: null, tcpCloseWaitTimeout: null, udpTimeout: 0s }
detectLocal: { bridgeInterface: "", interfaceNamePrefix: "" }
detectLocalMode: ""
healthzBindAddress: ""
hostnameOverride: ""
metricsBindAddress: ""
nodePortAddresses: null
routes:
interfaces:
`,
  );
  t.deepEqual(empty, await effective({}));
});

test('below 0 there is no limit of requests', async (t) => {
  const { api } = await effectiveOf(t, `${HEAD}clientConnection: { qps: -1 }`);
  t.is(api.qps, null);
});

const LIMITS: [string, number | undefined][] = [
  ['{}', undefined],
  ['{ maxPerCore: 0, min: 5000 }', undefined],
  ['{ min: 5000 }', 5_000],
  ['{ min: 3 }', 16],
  ['{ maxPerCore: 100 }', ENGINE_DEFAULTS.flows],
  ['{ maxPerCore: 100000 }', 400_000],
  ['{ min: 0 }', 16],
  ['{ maxPerCore: 100, min: 401 }', 401],
  ['{ maxPerCore: 16777216 }', 16_777_216],
];

test('conntrack limits: the larger of what is for all and what is for each of four CPUs', async (t) => {
  for (const [conntrack, flows] of LIMITS) {
    const { open } = await effectiveOf(t, `${HEAD}conntrack: ${conntrack}`);
    t.is(open.flows, flows, conntrack);
    t.is(open.flows6, flows, conntrack);
  }
});

const POD_SCOPES = `
interfaces:
  - "memory:cni0"
  - "memory:cni01"
  - "tap:pod-1,device=cni0x,netns=a"
  - "tap:host-1,device=cni0,scope=host"
`;

test('interfaces are those of local pods by name or device; who says a scope keeps it', async (t) => {
  const scopes = async (mode: string): Promise<unknown[]> =>
    (await effectiveOf(t, `${HEAD}${POD_SCOPES}${mode}`)).interfaces.map(({ scope }) => scope);
  t.deepEqual(
    await scopes('detectLocalMode: BridgeInterface\ndetectLocal: { bridgeInterface: cni0 }'),
    ['pod', undefined, undefined, 'host'],
  );
  t.deepEqual(
    await scopes('detectLocalMode: InterfaceNamePrefix\ndetectLocal: { interfaceNamePrefix: cni }'),
    ['pod', 'pod', 'pod', 'host'],
  );
  const ofNode = await effectiveOf(t, `${HEAD}${POD_SCOPES}detectLocalMode: NodeCIDR`);
  t.like(ofNode, { podNetworksFromNode: true, warnings: [] });
  t.is(ofNode.node.podNetworks, undefined);
  t.deepEqual(
    ofNode.interfaces.map(({ scope }) => scope),
    [undefined, undefined, undefined, 'host'],
  );
});

test('what is probably not meant is told', async (t) => {
  const { warnings } = await effectiveOf(
    t,
    `${HEAD}clusterCIDR: 10.0.0.0/8
detectLocalMode: BridgeInterface
detectLocal: { bridgeInterface: br0, interfaceNamePrefix: veth }`,
  );
  t.deepEqual(warnings, [
    'clusterCIDR does nothing, for detectLocalMode is BridgeInterface',
    'detectLocal.interfaceNamePrefix does nothing, for detectLocalMode is BridgeInterface',
    'no interface is called as BridgeInterface says (br0)',
  ]);
});

test("every key of kube-proxy's configuration is known here, or it is said why not", (t) => {
  for (const path of KUBE_PROXY_KEYS) {
    const section = path.split('.')[0]!;
    const isKnown = CONFIGURATION_PATHS.includes(path);
    const why = STRANGE_KEYS[path] ?? STRANGE_KEYS[section];
    t.true(isKnown !== (why !== undefined), path);
  }
});

test('the JSON Schema is what `npm run generate` makes, is published, and describes every key', async (t) => {
  const text = await readFile(SCHEMA, 'utf8');
  t.is(
    text,
    `${JSON.stringify(configurationJsonSchema(), null, 2)}\n`,
    'out of date: run `npm run generate`',
  );
  const { exports, files } = JSON.parse(await readFile(PACKAGE, 'utf8'));
  const path = './schemas/agent-configuration.schema.json';
  t.is(exports[path], path);
  t.true(files.includes('schemas'));
  const { properties, required, additionalProperties } = JSON.parse(text);
  t.deepEqual(required, ['apiVersion', 'kind']);
  t.false(additionalProperties);
  for (const key of CONFIGURATION_PATHS) {
    const [head, tail] = key.split('.') as [string, string?];
    const node = tail === undefined ? properties[head] : properties[head].properties[tail];
    t.truthy(node.description ?? node.const ?? node.properties, key);
  }
});

const OF_SCHEMA: [string, boolean][] = [
  [HEAD, true],
  [FULL, true],
  ['kind: AgentConfiguration', false],
  [`${HEAD}mode: ipvs`, false],
  [`${HEAD}conntrack: { mn: 3 }`, false],
  [`${HEAD}conntrack: { udpTimeout: 30 }`, false],
  [`${HEAD}conntrack: { udpTimeout: soon }`, false],
  [`${HEAD}detectLocalMode: node`, false],
  [`${HEAD}options: { flwos: 30 }`, false],
  [`${HEAD}options: { flows: 3 }`, false],
  [`${HEAD}options: { timeouts: { icmp: 0 } }`, false],
  [`${HEAD}interfaces: [{ kind: tpa, name: a }]`, false],
  [`${HEAD}interfaces: [{ kind: tap, name: a, mut: 1 }]`, false],
  [`${HEAD}routes: [{ via: 10.0.0.1 }]`, false],
  [`${HEAD}node: { serviceNetworks: 10.0.0.0/8 }`, false],
];

test('the JSON Schema tells right from wrong', async (t) => {
  const schema = z.fromJSONSchema(JSON.parse(await readFile(SCHEMA, 'utf8')));
  for (const [text, isRight] of OF_SCHEMA)
    t.is(schema.safeParse(parse(text)).success, isRight, text);
  const { document } = await effectiveOf(t, FULL);
  t.true(schema.safeParse(JSON.parse(JSON.stringify(document))).success, 'the one in force');
});

test('the reference has every key, and every key of kube-proxy', async (t) => {
  const reference = await readFile(REFERENCE, 'utf8');
  for (const path of [...CONFIGURATION_PATHS, ...Object.keys(STRANGE_KEYS)])
    t.true(reference.includes(`\`${path}\``), `docs/reference/agent.md has no ${path}`);
});

test('the example of the reference is right', async (t) => {
  const reference = await readFile(REFERENCE, 'utf8');
  const examples = [...reference.matchAll(/```yaml\n(apiVersion: sluice[^`]*)```/g)];
  t.true(examples.length > 0);
  for (const [, text = ''] of examples) {
    const file = join(await folderOf(t), 'agent.yaml');
    await writeFile(file, text);
    await t.notThrowsAsync(effective({ '--config': file }), text);
  }
});
