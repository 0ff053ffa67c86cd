// SPDX-License-Identifier: Apache-2.0
import { show } from '../../model/explain.js';
import {
  address,
  asObject,
  isLeftOut,
  list,
  type Metadata,
  maybe,
  metadata,
  network,
  oneOf,
  portName,
  protocol,
  type Raw,
  text,
  wholeNumber,
  within,
} from './fields.js';
import { ObjectMistake } from './object-mistake.js';

/** A core/v1 Service, as far as it is read. */
export interface ServiceObject {
  metadata: Metadata;
  spec: ServiceSpec;
  status?: { loadBalancer?: { ingress: readonly IngressPoint[] } };
}

export interface ServiceSpec {
  type: (typeof TYPES)[number];
  /** Canonical, `None`, or empty. */
  clusterIP: string;
  clusterIPs: readonly string[];
  externalIPs: readonly string[];
  ports: readonly ServicePortObject[];
  /** Canonical. */
  loadBalancerSourceRanges: readonly string[];
  /** Seconds that a client keeps its backend; 0: it does not. */
  affinitySeconds: number;
  internalTrafficPolicy: (typeof POLICIES)[number];
  externalTrafficPolicy: (typeof POLICIES)[number];
  /** 0: none. */
  healthCheckNodePort: number;
}

export interface ServicePortObject {
  /** Empty: none. */
  name: string;
  protocol: 'TCP' | 'UDP' | 'SCTP';
  port: number;
  /** 0: none. */
  nodePort: number;
}

interface IngressPoint {
  /** Empty: none. */
  ip: string;
  ipMode: 'VIP' | 'Proxy';
}

const TYPES = ['ClusterIP', 'NodePort', 'LoadBalancer', 'ExternalName'] as const;
const POLICIES = ['Cluster', 'Local'] as const;
const AFFINITIES = ['None', 'ClientIP'] as const;
const IP_MODES = ['VIP', 'Proxy'] as const;
const PORT = 'a port number';
/** Three hours: what the API server fills in. */
const DEFAULT_AFFINITY_SECONDS = 10_800;
const MAX_AFFINITY_SECONDS = 86_400;

/** @throws ObjectMistake with the first mistake */
export function readService(value: unknown): ServiceObject {
  const object = asObject(value, 'an object');
  const found = metadata(object);
  const spec = within(object, 'spec', readSpec);
  const status = maybe(object, 'status', readStatus);
  checkPorts(spec);
  return { metadata: found, spec, ...(status !== undefined && { status }) };
}

function readSpec(value: unknown): ServiceSpec {
  const raw = asObject(value, 'an object with ports');
  return {
    type: oneOf(raw, 'type', TYPES, 'ClusterIP'),
    clusterIP: maybe(raw, 'clusterIP', clusterIp) ?? '',
    clusterIPs: list(raw, 'clusterIPs', 'IP addresses', clusterIp),
    externalIPs: list(raw, 'externalIPs', 'IP addresses', externalIp),
    ports: list(raw, 'ports', 'ports', readPort),
    loadBalancerSourceRanges: list(raw, 'loadBalancerSourceRanges', 'networks', sourceRange),
    affinitySeconds: readAffinity(raw),
    internalTrafficPolicy: oneOf(raw, 'internalTrafficPolicy', POLICIES, 'Cluster'),
    externalTrafficPolicy: oneOf(raw, 'externalTrafficPolicy', POLICIES, 'Cluster'),
    healthCheckNodePort: wholeNumber(raw, 'healthCheckNodePort', PORT, [0, 65_535], 0),
  };
}

const clusterIp = (value: unknown) =>
  address(value, 'an IP address, None, or nothing', ['', 'None']);
const externalIp = (value: unknown) => address(value, 'an IP address');
const sourceRange = (value: unknown) =>
  network(value, 'a network such as 192.0.2.0/24 or 2001:db8::/32');

function readPort(value: unknown): ServicePortObject {
  const raw = asObject(value, 'a port');
  return {
    name: portName(raw),
    protocol: protocol(raw),
    port: wholeNumber(raw, 'port', PORT, [1, 65_535]),
    nodePort: wholeNumber(raw, 'nodePort', PORT, [0, 65_535], 0),
  };
}

function readAffinity(spec: Raw): number {
  const affinity = oneOf(spec, 'sessionAffinity', AFFINITIES, 'None');
  const seconds = maybe(spec, 'sessionAffinityConfig', (value) =>
    maybe(asObject(value, 'an object'), 'clientIP', (clientIp) => {
      const raw = asObject(clientIp, 'an object with timeoutSeconds');
      const range = [1, MAX_AFFINITY_SECONDS] as const;
      return wholeNumber(raw, 'timeoutSeconds', 'seconds', range, DEFAULT_AFFINITY_SECONDS);
    }),
  );
  return affinity === 'None' ? 0 : (seconds ?? DEFAULT_AFFINITY_SECONDS);
}

function readStatus(value: unknown): NonNullable<ServiceObject['status']> {
  const loadBalancer = maybe(asObject(value, 'an object'), 'loadBalancer', (inner) => ({
    ingress: list(asObject(inner, 'an object'), 'ingress', 'ingress points', readIngress),
  }));
  return loadBalancer === undefined ? {} : { loadBalancer };
}

function readIngress(value: unknown): IngressPoint {
  const raw = asObject(value, 'an ingress point');
  const ip = maybe(raw, 'ip', (each) => address(each, 'an IP address, or nothing', [''])) ?? '';
  if (!isLeftOut(raw, 'hostname')) text(raw, 'hostname', 'a host name');
  return { ip, ipMode: oneOf(raw, 'ipMode', IP_MODES, 'VIP') };
}

/** What is wrong between the ports of a service. */
function checkPorts({ type, clusterIP, ports }: ServiceSpec): void {
  const headless = clusterIP === 'None' || type === 'ExternalName';
  const fail = (index: number, key: string, message: string): never => {
    throw new ObjectMistake(['spec', 'ports', index, key], message);
  };
  if (ports.length === 0 && !headless) {
    throw new ObjectMistake(['spec', 'ports'], 'expected at least one port, found none');
  }
  if (ports.length < 2) return;
  const names = new Map<string, number>();
  const numbers = new Map<string, number>();
  ports.forEach((port, index) => {
    if (port.name === '') {
      fail(index, 'name', 'expected a name (a service of several ports), found nothing');
    }
    const sameName = names.get(port.name);
    if (sameName !== undefined) {
      const whose = `${show(port.name)} is the name of ports[${sameName}]`;
      fail(index, 'name', `${whose}; port names must differ`);
    }
    names.set(port.name, index);
    const number = `${port.port}/${port.protocol}`;
    const sameNumber = numbers.get(number);
    if (sameNumber !== undefined) {
      const whose = `${number} is ports[${sameNumber}] already`;
      fail(index, 'port', `${whose}; give another port or protocol`);
    }
    numbers.set(number, index);
  });
}
