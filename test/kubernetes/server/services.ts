// SPDX-License-Identifier: Apache-2.0
import { type Allocations, type Family, familyOf, NODE_PORTS } from './allocation.js';
import { type KubeObject, sameJson, type Tree } from './objects.js';
import { checkService, isExternal, mayHaveNodePorts } from './service-checks.js';
import { type FieldError, invalid } from './status.js';
import type { Strategy } from './strategy.js';

const hasClusterIp = (spec: Tree): boolean => spec.type !== 'ExternalName';
const hasNodePorts = (spec: Tree): boolean =>
  spec.type === 'NodePort' ||
  (spec.type === 'LoadBalancer' && spec.allocateLoadBalancerNodePorts !== false);
const hasHealthPort = (spec: Tree): boolean =>
  spec.type === 'LoadBalancer' && spec.externalTrafficPolicy === 'Local';
const isHeadless = (spec: Tree): boolean => spec.clusterIP === 'None';
export function serviceStrategy(allocations: Allocations): Strategy {
  return {
    defaults,
    prepareCreate(service) {
      const { spec } = service;
      service.status = { loadBalancer: {} };
      if (spec.clusterIP && !spec.clusterIPs?.length) spec.clusterIPs = [spec.clusterIP];
      setFamilies(spec, undefined, allocations);
    },
    prepareUpdate(service, old) {
      keepAllocated(service.spec, old.spec);
      dropOfOtherTypes(service.spec, old.spec);
      downgrade(service.spec, old.spec);
      setFamilies(service.spec, old.spec, allocations);
      if (service.spec.type !== 'LoadBalancer') service.status = { loadBalancer: {} };
    },
    check: (service, old) => checkService(service, old, allocations),
    allocate: (service, old) => [
      ...allocateAddresses(service.spec, old?.spec, allocations),
      ...allocatePorts(service.spec, old?.spec, allocations),
    ],
  };
}

function defaults(service: KubeObject): void {
  service.spec ??= {};
  const { spec } = service;
  spec.type ??= 'ClusterIP';
  spec.sessionAffinity ??= 'None';
  if (spec.sessionAffinity === 'None') delete spec.sessionAffinityConfig;
  if (spec.sessionAffinity === 'ClientIP') {
    spec.sessionAffinityConfig ??= {};
    spec.sessionAffinityConfig.clientIP ??= {};
    spec.sessionAffinityConfig.clientIP.timeoutSeconds ??= 10800;
  }
  for (const port of spec.ports ?? []) {
    port.protocol ??= 'TCP';
    if (port.targetPort === undefined || port.targetPort === 0 || port.targetPort === '') {
      port.targetPort = port.port;
    }
    if (port.nodePort === 0) delete port.nodePort;
  }
  for (const name of ['ports', 'selector', 'externalIPs', 'clusterIPs']) {
    if (spec[name] && Object.keys(spec[name]).length === 0) delete spec[name];
  }
  for (const name of ['clusterIP', 'externalName', 'healthCheckNodePort']) {
    if (!spec[name]) delete spec[name];
  }
  if (spec.publishNotReadyAddresses === false) delete spec.publishNotReadyAddresses;
  if (isExternal(spec)) spec.externalTrafficPolicy ||= 'Cluster';
  if (hasClusterIp(spec)) spec.internalTrafficPolicy ??= 'Cluster';
  if (spec.type === 'LoadBalancer') spec.allocateLoadBalancerNodePorts ??= true;
  service.status ??= {};
  service.status.loadBalancer ??= {};
  for (const ingress of service.status.loadBalancer.ingress ?? []) {
    if (ingress.ip) ingress.ipMode ??= 'VIP';
  }
}

function setFamilies(spec: Tree, old: Tree | undefined, { families }: Allocations): void {
  if (!hasClusterIp(spec)) return;
  const other = (family: Family): Family => (family === 'IPv4' ? 'IPv6' : 'IPv4');
  const given: Family[] = (spec.clusterIPs ?? [])
    .filter((address: string) => address !== 'None')
    .map(familyOf);
  const [first = given[0] ?? old?.ipFamilies?.[0] ?? families[0]!] = spec.ipFamilies ?? [];
  const selectorless = isHeadless(spec) && !spec.selector;
  spec.ipFamilyPolicy ??= selectorless ? 'RequireDualStack' : 'SingleStack';
  if (!spec.ipFamilies?.length) spec.ipFamilies = given.length > 0 ? given : [first];
  const isDual = selectorless || families.length === 2;
  if (spec.ipFamilyPolicy !== 'SingleStack' && spec.ipFamilies.length === 1 && isDual) {
    spec.ipFamilies = [first, other(first)];
  }
}

/** What a client left out, as it did not know of it, stays as it was given before. */
function keepAllocated(spec: Tree, old: Tree): void {
  if (hasClusterIp(spec) && hasClusterIp(old)) {
    spec.clusterIP ??= old.clusterIP;
    if (!spec.clusterIPs && spec.clusterIP === old.clusterIP) spec.clusterIPs = old.clusterIPs;
    spec.ipFamilyPolicy ??= old.ipFamilyPolicy;
    spec.ipFamilies ??= old.ipFamilies;
  } else if (spec.clusterIP && !spec.clusterIPs) {
    spec.clusterIPs = [spec.clusterIP];
  }
  if (hasNodePorts(spec) && hasNodePorts(old)) {
    // By name, as the real server does: one whose name changes is given another.
    const given = new Map<string, number>(
      (old.ports ?? []).map((port: Tree) => [port.name ?? '', port.nodePort]),
    );
    const used = new Set((spec.ports ?? []).map((port: Tree) => port.nodePort));
    for (const port of spec.ports ?? []) {
      const before = given.get(port.name ?? '');
      if (!port.nodePort && before && !used.has(before)) port.nodePort = before;
    }
  }
  if (hasHealthPort(spec) && hasHealthPort(old)) {
    spec.healthCheckNodePort ||= old.healthCheckNodePort;
  }
}

/** A change of type takes along what only the old type has, where it was not changed as well. */
function dropOfOtherTypes(spec: Tree, old: Tree): void {
  const drop = (...names: string[]): void => {
    if (names.every((name) => sameJson(spec[name], old[name]))) {
      for (const name of names) delete spec[name];
    }
  };
  if (hasClusterIp(old) && !hasClusterIp(spec)) {
    drop('clusterIP', 'clusterIPs');
    drop('ipFamilies', 'ipFamilyPolicy');
  }
  const nodePorts = (of: Tree): Tree[] =>
    (of.ports ?? []).map((port: Tree) => port.nodePort).filter(Boolean);
  if (mayHaveNodePorts(old) && !mayHaveNodePorts(spec)) {
    if (nodePorts(spec).every((port) => nodePorts(old).includes(port))) {
      for (const port of spec.ports ?? []) delete port.nodePort;
    }
  }
  if (hasHealthPort(old) && !hasHealthPort(spec)) drop('healthCheckNodePort');
  if (old.type === 'LoadBalancer' && spec.type !== 'LoadBalancer') {
    drop('allocateLoadBalancerNodePorts');
    drop('loadBalancerClass');
  }
  if (isExternal(old) && !isExternal(spec)) drop('externalTrafficPolicy');
}

function downgrade(spec: Tree, old: Tree): void {
  if (spec.ipFamilyPolicy !== 'SingleStack' || old.ipFamilyPolicy === 'SingleStack') return;
  if (sameJson(spec.clusterIPs, old.clusterIPs)) spec.clusterIPs = spec.clusterIPs?.slice(0, 1);
  if (sameJson(spec.ipFamilies, old.ipFamilies)) spec.ipFamilies = spec.ipFamilies?.slice(0, 1);
}

function allocateAddresses(spec: Tree, old: Tree, allocations: Allocations): FieldError[] {
  if (!hasClusterIp(spec)) return [];
  if (isHeadless(spec)) {
    spec.clusterIPs = ['None'];
    return [];
  }
  const given: string[] = spec.clusterIPs ?? [];
  for (const address of given) {
    if (old?.clusterIPs?.includes(address)) continue;
    const refuse = (why: string): FieldError[] => [
      invalid('spec.clusterIPs', given, `failed to allocate IP ${address}: ${why}`),
    ];
    if (!allocations.contains(address)) {
      const range = allocations.range(familyOf(address));
      return refuse(
        `the provided IP (${address}) is not in the valid range. The range of valid IPs is ${range}`,
      );
    }
    if (allocations.hasAddress(address)) return refuse('provided IP is already allocated');
  }
  const missing = spec.ipFamilies.slice(given.length);
  spec.clusterIPs = [...given, ...missing.map((family: Family) => allocations.freeAddress(family))];
  spec.clusterIP = spec.clusterIPs[0];
  return [];
}

function allocatePorts(spec: Tree, old: Tree, allocations: Allocations): FieldError[] {
  const errors: FieldError[] = [];
  const taken = new Set<number>();
  const before = new Set<string>(
    (old?.ports ?? []).map((port: Tree) => `${port.protocol}/${port.nodePort}`),
  );
  const ask = (field: string, port: number, protocol: string, isOurs: boolean): void => {
    if (port < NODE_PORTS.first || port > NODE_PORTS.last) {
      const range = `${NODE_PORTS.first}-${NODE_PORTS.last}`;
      const why = `provided port is not in the valid range. The range of valid ports is ${range}`;
      errors.push(invalid(field, port, why));
    } else if (!isOurs && allocations.hasPort(port, protocol)) {
      errors.push(invalid(field, port, 'provided port is already allocated'));
    }
    taken.add(port);
  };
  for (const [index, { nodePort, protocol }] of (spec.ports ?? []).entries()) {
    if (!nodePort) continue;
    const isOurs = before.has(`${protocol}/${nodePort}`);
    ask(`spec.ports[${index}].nodePort`, nodePort, protocol, isOurs);
  }
  const health = spec.healthCheckNodePort;
  if (health) ask('spec.healthCheckNodePort', health, 'TCP', health === old?.healthCheckNodePort);
  if (errors.length > 0) return errors;
  const free = (): number => {
    const port = allocations.freePort(taken);
    taken.add(port);
    return port;
  };
  if (hasNodePorts(spec)) for (const port of spec.ports ?? []) port.nodePort ??= free();
  if (hasHealthPort(spec)) spec.healthCheckNodePort ??= free();
  return [];
}
