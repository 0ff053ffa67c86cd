// SPDX-License-Identifier: Apache-2.0
// What an API server makes of Services, slices and policies: defaults, allocation, refusals.
import type { ExecutionContext } from 'ava';
import type { TestCluster } from './cluster.js';
import type { Tree } from './server/objects.js';
import { newNamespace, onClusters } from './suites.js';
import { slice } from './workloads.js';

const onEach = onClusters();

const pathOf = (namespace: string, name = ''): string =>
  `/api/v1/namespaces/${namespace}/services${name && `/${name}`}`;

const service = (name: string, spec: Tree = {}): Tree => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name },
  spec: { ports: [{ port: 80 }], selector: { app: name }, ...spec },
});

const isV4 = (address: string): boolean => /^10\.96\.\d+\.\d+$/.test(address);
const isV6 = (address: string): boolean => address.startsWith('fd00:10:96::');
const isNodePort = (port: number): boolean => port >= 30000 && port <= 32767;

/** Refused with 422, for reasons of these fields. */
async function invalid(
  t: ExecutionContext,
  cluster: TestCluster,
  method: 'POST' | 'PUT',
  path: string,
  body: Tree,
  ...fields: readonly string[]
): Promise<void> {
  const { code, json, text } = await cluster.ask(method, path, body);
  t.is(code, 422, text);
  t.is(json.reason, 'Invalid');
  const found = json.details.causes.map(({ field }: Tree) => field);
  for (const field of fields) t.true(found.includes(field), `${field} in ${text}`);
}

onEach('a Service is given what it left out', async (t, cluster) => {
  const namespace = await newNamespace(cluster);
  const { spec, status } = await cluster.create(pathOf(namespace), service('a'));
  t.true(isV4(spec.clusterIP));
  t.deepEqual(spec, {
    ports: [{ protocol: 'TCP', port: 80, targetPort: 80 }],
    selector: { app: 'a' },
    clusterIP: spec.clusterIP,
    clusterIPs: [spec.clusterIP],
    type: 'ClusterIP',
    sessionAffinity: 'None',
    ipFamilies: ['IPv4'],
    ipFamilyPolicy: 'SingleStack',
    internalTrafficPolicy: 'Cluster',
  });
  t.deepEqual(status, { loadBalancer: {} });
  const affine = await cluster.create(
    pathOf(namespace),
    service('b', { sessionAffinity: 'ClientIP' }),
  );
  t.deepEqual(affine.spec.sessionAffinityConfig, { clientIP: { timeoutSeconds: 10800 } });
  const selectorless = service('c', { clusterIP: 'None', selector: null });
  const headless = (await cluster.create(pathOf(namespace), selectorless)).spec;
  t.is(headless.ipFamilyPolicy, 'RequireDualStack');
  t.deepEqual(headless.ipFamilies, ['IPv4', 'IPv6']);
});

onEach('a type brings its ports, and another takes them away', async (t, cluster) => {
  const namespace = await newNamespace(cluster);
  const path = pathOf(namespace, 'a');
  const patch = async (spec: Tree): Promise<Tree> => (await cluster.patch(path, { spec })).spec;
  const http = { name: 'http', port: 80 };
  const made = (await cluster.create(pathOf(namespace), service('a', { ports: [http] }))).spec;

  const asNodePort = await patch({ type: 'NodePort' });
  t.true(isNodePort(asNodePort.ports[0].nodePort));
  t.is(asNodePort.externalTrafficPolicy, 'Cluster');
  t.is(asNodePort.clusterIP, made.clusterIP);

  const asBalancer = await patch({ type: 'LoadBalancer', externalTrafficPolicy: 'Local' });
  t.is(asBalancer.ports[0].nodePort, asNodePort.ports[0].nodePort);
  t.true(asBalancer.allocateLoadBalancerNodePorts);
  t.true(isNodePort(asBalancer.healthCheckNodePort));

  // Whoever leaves the node ports out keeps them.
  const again = await patch({
    ports: [
      { ...http, port: 8080 },
      { name: 'other', port: 81 },
    ],
  });
  t.is(again.ports[0].nodePort, asNodePort.ports[0].nodePort);
  t.true(isNodePort(again.ports[1].nodePort));
  t.is(again.healthCheckNodePort, asBalancer.healthCheckNodePort);

  const asClusterIp = await patch({ type: 'ClusterIP' });
  t.deepEqual(
    asClusterIp.ports.map((port: Tree) => port.nodePort),
    [undefined, undefined],
  );
  for (const field of [
    'externalTrafficPolicy',
    'healthCheckNodePort',
    'allocateLoadBalancerNodePorts',
  ]) {
    t.is(asClusterIp[field], undefined, field);
  }
  t.is(asClusterIp.clusterIP, made.clusterIP);

  const asName = await patch({ type: 'ExternalName', externalName: 'x.example' });
  for (const field of ['clusterIP', 'clusterIPs', 'ipFamilies', 'ipFamilyPolicy']) {
    t.is(asName[field], undefined, field);
  }
  const back = await patch({ type: 'ClusterIP', externalName: null });
  t.true(isV4(back.clusterIP));
  t.deepEqual(back.ipFamilies, ['IPv4']);
});

onEach('two families are asked for and given back', async (t, cluster) => {
  const namespace = await newNamespace(cluster);
  const path = pathOf(namespace, 'a');
  const made = await cluster.create(
    pathOf(namespace),
    service('a', { ipFamilyPolicy: 'PreferDualStack' }),
  );
  t.deepEqual(made.spec.ipFamilies, ['IPv4', 'IPv6']);
  t.true(isV4(made.spec.clusterIPs[0]) && isV6(made.spec.clusterIPs[1]));
  const single = await cluster.patch(path, { spec: { ipFamilyPolicy: 'SingleStack' } });
  t.deepEqual(single.spec.clusterIPs, [made.spec.clusterIP]);
  t.deepEqual(single.spec.ipFamilies, ['IPv4']);
  const dual = await cluster.patch(path, { spec: { ipFamilyPolicy: 'RequireDualStack' } });
  t.is(dual.spec.clusterIPs.length, 2);
  t.is(dual.spec.clusterIP, made.spec.clusterIP);
  const six = await cluster.create(pathOf(namespace), service('b', { ipFamilies: ['IPv6'] }));
  t.true(isV6(six.spec.clusterIP));
  const both = { ipFamilies: ['IPv6', 'IPv4'], ipFamilyPolicy: 'RequireDualStack' };
  const turned = await cluster.create(pathOf(namespace), service('c', both));
  t.true(isV6(turned.spec.clusterIPs[0]) && isV4(turned.spec.clusterIPs[1]));
});

onEach('addresses and ports belong to one Service', async (t, cluster) => {
  const namespace = await newNamespace(cluster);
  const path = pathOf(namespace);
  const ports = [{ port: 80, nodePort: 31234 }];
  const first = await cluster.create(path, service('a', { type: 'NodePort', ports }));
  const { clusterIP } = first.spec;
  await invalid(t, cluster, 'POST', path, service('b', { clusterIP }), 'spec.clusterIPs');
  await invalid(
    t,
    cluster,
    'POST',
    path,
    service('b', { clusterIP: '10.1.2.3' }),
    'spec.clusterIPs',
  );
  const same = service('b', { type: 'NodePort', ports });
  await invalid(t, cluster, 'POST', path, same, 'spec.ports[0].nodePort');
  const low = service('b', { type: 'NodePort', ports: [{ port: 80, nodePort: 80 }] });
  await invalid(t, cluster, 'POST', path, low, 'spec.ports[0].nodePort');
  const changed = {
    ...first,
    spec: { ...first.spec, clusterIP: '10.96.1.2', clusterIPs: ['10.96.1.2'] },
  };
  await invalid(t, cluster, 'PUT', `${path}/a`, changed, 'spec.clusterIPs[0]');
  // They are free again when it is gone.
  await cluster.remove(`${path}/a`);
  const second = await cluster.create(path, service('b', { type: 'NodePort', ports, clusterIP }));
  t.is(second.spec.clusterIP, clusterIP);
  t.is(second.spec.ports[0].nodePort, 31234);
});

onEach('mistakes in a Service are refused by field', async (t, cluster) => {
  const path = pathOf(await newNamespace(cluster));
  const refuse = (spec: Tree, ...fields: string[]) =>
    invalid(t, cluster, 'POST', path, service('a', spec), ...fields);
  await refuse({ ports: [] }, 'spec.ports');
  await refuse({ ports: [{ port: 0 }] }, 'spec.ports[0].port');
  await refuse({ ports: [{ port: 65536 }] }, 'spec.ports[0].port');
  await refuse({ ports: [{ port: 1 }, { port: 2 }] }, 'spec.ports[0].name', 'spec.ports[1].name');
  await refuse({ ports: [{ port: 1, protocol: 'ICMP' }] }, 'spec.ports[0].protocol');
  const twice = [
    { name: 'a', port: 1 },
    { name: 'a', port: 2 },
  ];
  await refuse({ ports: twice }, 'spec.ports[1].name');
  await refuse({ type: 'Other' }, 'spec.type');
  await refuse({ sessionAffinity: 'Cookie' }, 'spec.sessionAffinity');
  await refuse({ externalTrafficPolicy: 'Local' }, 'spec.externalTrafficPolicy');
  await refuse({ internalTrafficPolicy: 'Nearby' }, 'spec.internalTrafficPolicy');
  await refuse({ type: 'ExternalName' }, 'spec.externalName');
  await refuse({ externalIPs: ['127.0.0.1'] }, 'spec.externalIPs[0]');
  await refuse({ externalIPs: ['x'] }, 'spec.externalIPs[0]');
  const timeout = {
    sessionAffinity: 'ClientIP',
    sessionAffinityConfig: { clientIP: { timeoutSeconds: 0 } },
  };
  await refuse(timeout, 'spec.sessionAffinityConfig.clientIP.timeoutSeconds');
  const upper = await cluster.ask('POST', path, { ...service('Upper') });
  t.is(upper.json.details.causes[0].field, 'metadata.name');
  const typed = await cluster.ask('POST', path, service('a', { ports: 'many' }));
  t.is(typed.code, 400);
});

onEach('slices and policies have defaults and rules', async (t, cluster) => {
  const namespace = await newNamespace(cluster);
  const slices = `/apis/discovery.k8s.io/v1/namespaces/${namespace}/endpointslices`;
  const empty = {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { name: 'empty' },
    addressType: 'IPv4',
    endpoints: [],
  };
  const made = await cluster.create(slices, empty);
  t.is(made.metadata.generation, 1);
  t.deepEqual(made.endpoints ?? null, null);
  const endpoints = [{ address: '10.244.1.1' }];
  const full = await cluster.create(
    slices,
    slice({ service: 'a', namespace, endpoints, ports: { http: 80 } }),
  );
  t.deepEqual(full.ports, [{ name: 'http', protocol: 'TCP', port: 80 }]);
  const wrong = (change: Tree): Tree => ({ ...empty, metadata: { name: 'wrong' }, ...change });
  const addresses = (...list: string[]): Tree => wrong({ endpoints: [{ addresses: list }] });
  await invalid(t, cluster, 'POST', slices, addresses('fd00::1'), 'endpoints[0].addresses[0]');
  await invalid(t, cluster, 'POST', slices, addresses('127.0.0.1'), 'endpoints[0].addresses[0]');
  await invalid(t, cluster, 'POST', slices, addresses(), 'endpoints[0].addresses');
  await invalid(t, cluster, 'POST', slices, wrong({ addressType: 'IPX' }), 'addressType');
  const many = Array.from({ length: 1001 }, () => ({ addresses: ['10.0.0.1'] }));
  await invalid(t, cluster, 'POST', slices, wrong({ endpoints: many }), 'endpoints');
  await invalid(
    t,
    cluster,
    'PUT',
    `${slices}/empty`,
    { ...made, addressType: 'IPv6' },
    'addressType',
  );

  const policies = `/apis/networking.k8s.io/v1/namespaces/${namespace}/networkpolicies`;
  const policy = (name: string, spec: Tree): Tree => ({
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    metadata: { name },
    spec: { podSelector: {}, ...spec },
  });
  const ingress = await cluster.create(
    policies,
    policy('a', { ingress: [{ ports: [{ port: 80 }] }] }),
  );
  t.deepEqual(ingress.spec.policyTypes, ['Ingress']);
  t.deepEqual(ingress.spec.ingress[0].ports, [{ protocol: 'TCP', port: 80 }]);
  const both = await cluster.create(policies, policy('b', { egress: [{}] }));
  t.deepEqual(both.spec.policyTypes, ['Ingress', 'Egress']);
  const block = (ipBlock: Tree): Tree => policy('c', { ingress: [{ from: [{ ipBlock }] }] });
  const from = 'spec.ingress[0].from[0].ipBlock';
  await invalid(t, cluster, 'POST', policies, block({ cidr: '10.0.0.0' }), `${from}.cidr`);
  const outside = block({ cidr: '10.0.0.0/8', except: ['11.0.0.0/8'] });
  await invalid(t, cluster, 'POST', policies, outside, `${from}.except[0]`);
});
