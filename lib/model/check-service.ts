// SPDX-License-Identifier: Apache-2.0
import { SluiceError } from '../errors.js';
import { type Family, familyOf, type Prefix } from './address.js';
import { checkAddress, checkPrefix } from './check-address.js';
import { checkBackends, checkPort } from './check-backend.js';
import { claimDestinations } from './check-destinations.js';
import { isObjectName, NAME_RULE, namespaceName, objectName } from './check-name.js';
import { type CheckedService, type CheckedServicePort, serviceKey } from './checked.js';
import { show } from './explain.js';
import { Fields } from './fields.js';
import { PROTOCOLS, type TrafficPolicy } from './model.js';

const CODE = 'ERR_MODEL';
const SERVICE_KEYS = [
  ...['name', 'namespace', 'addresses', 'externalIPs', 'loadBalancer'],
  ...['internalTrafficPolicy', 'externalTrafficPolicy', 'affinity', 'ports'],
];
const LOAD_BALANCER_KEYS = ['addresses', 'sourceRanges'];
const AFFINITY_KEYS = ['timeoutSeconds'];
const PORT_KEYS = ['name', 'protocol', 'port', 'nodePort', 'backends'];
const POLICIES: readonly TrafficPolicy[] = ['Cluster', 'Local'];
const MAX_AFFINITY_SECONDS = 86_400;

/** @throws SluiceError `ERR_MODEL` */
export function checkServices(values: readonly unknown[], path: string): CheckedService[] {
  const services = checkEachService(values, path);
  const owners = new Map<string, string>();
  services.forEach((service, index) => {
    claimDestinations(service, owners, `${path}[${index}]`);
  });
  return services;
}

/**
 * Checks services by themselves: not whether two of them answer on the same destination.
 * @throws SluiceError `ERR_MODEL`
 */
export function checkEachService(values: readonly unknown[], path: string): CheckedService[] {
  const services = values.map((value, index) => checkService(value, `${path}[${index}]`));
  refuseSharedNames(services, path);
  return services;
}

function checkService(value: unknown, path: string): CheckedService {
  const fields = new Fields(value, path, CODE, SERVICE_KEYS);
  const name = objectName(fields, 'name', 253);
  const namespace = namespaceName(fields);
  const addresses = checkAddresses(fields, 'addresses');
  const externalIPs = fields.has('externalIPs') ? checkAddresses(fields, 'externalIPs') : [];
  const balancer = fields.has('loadBalancer') ? checkLoadBalancer(fields) : NO_BALANCER;
  refuseClusterAddress(addresses, 'externalIPs', externalIPs, path);
  refuseClusterAddress(addresses, 'loadBalancer.addresses', balancer.addresses, path);
  const virtual = [...addresses, ...externalIPs, ...balancer.addresses];
  const families = new Set<Family>(virtual.length === 0 ? [4, 6] : virtual.map(familyOf));
  const ports = fields
    .list('ports', 'ports')
    .map((port, index, all) =>
      checkServicePort(port, `${path}.ports[${index}]`, all.length > 1, families),
    );
  if (ports.length === 0) fields.expected('ports', 'at least one port');
  refuseSharedPorts(ports, path);
  if (virtual.length === 0 && ports.every(({ nodePort }) => nodePort === 0)) {
    fields.expected('addresses', 'at least one address (there is no other destination)');
  }
  return {
    namespace,
    name,
    families: [...families].sort(),
    addresses,
    externalIPs,
    loadBalancer: balancer.addresses,
    sourceRanges: balancer.ranges,
    internalTrafficPolicy: policy(fields, 'internalTrafficPolicy'),
    externalTrafficPolicy: policy(fields, 'externalTrafficPolicy'),
    affinity: fields.has('affinity') ? checkAffinity(fields) : 0,
    ports,
  };
}

const NO_BALANCER: { addresses: string[]; ranges: Prefix[] } = { addresses: [], ranges: [] };

function checkLoadBalancer(fields: Fields): typeof NO_BALANCER {
  const path = fields.pathOf('loadBalancer');
  const balancer = new Fields(fields.value('loadBalancer'), path, CODE, LOAD_BALANCER_KEYS);
  const what = 'a network such as 192.0.2.0/24 or 2001:db8::/32';
  const ranges = balancer.has('sourceRanges') ? balancer.list('sourceRanges', 'networks') : [];
  return {
    addresses: checkAddresses(balancer, 'addresses'),
    ranges: ranges.map((range, index) =>
      checkPrefix(range, `${path}.sourceRanges[${index}]`, CODE, what),
    ),
  };
}

function checkAffinity(fields: Fields): number {
  const path = fields.pathOf('affinity');
  const affinity = new Fields(fields.value('affinity'), path, CODE, AFFINITY_KEYS);
  return affinity.integer('timeoutSeconds', 1, MAX_AFFINITY_SECONDS, 'seconds');
}

function policy(fields: Fields, key: string): TrafficPolicy {
  return fields.has(key) ? fields.oneOf(key, POLICIES) : 'Cluster';
}

/** Addresses in canonical text, none of them twice. */
function checkAddresses(fields: Fields, key: string): string[] {
  const path = fields.pathOf(key);
  const addresses = fields.list(key, 'addresses').map((text, index) => {
    return checkAddress(text, `${path}[${index}]`, CODE);
  });
  addresses.forEach((address, index) => {
    if (addresses.indexOf(address) === index) return;
    refuse(`${path}[${index}]`, `${address} is given twice; leave one of them out`);
  });
  return addresses;
}

function refuseClusterAddress(
  cluster: readonly string[],
  key: string,
  addresses: readonly string[],
  path: string,
): void {
  addresses.forEach((address, index) => {
    if (!cluster.includes(address)) return;
    const message = `${address} is among the service's own addresses; leave one of them out`;
    refuse(`${path}.${key}[${index}]`, message);
  });
}

function checkServicePort(
  value: unknown,
  path: string,
  needsName: boolean,
  families: ReadonlySet<Family>,
): CheckedServicePort {
  const fields = new Fields(value, path, CODE, PORT_KEYS);
  const name = portName(fields, needsName);
  const protocol = fields.oneOf('protocol', PROTOCOLS);
  const port = checkPort(fields, protocol);
  const nodePort = fields.has('nodePort') ? fields.integer('nodePort', 1, 65_535, 'a port') : 0;
  if (nodePort !== 0 && protocol === 'ICMP') {
    fields.fail('nodePort', 'ICMP has no ports: this node answers echo requests itself');
  }
  return {
    name,
    protocol,
    port,
    nodePort,
    backends: checkBackends(fields, path, protocol, families),
  };
}

function portName(fields: Fields, needed: boolean): string {
  if (!needed && (!fields.has('name') || fields.value('name') === '')) return '';
  const rule = `a name of ${NAME_RULE}`;
  const name = fields.string('name', needed ? `${rule} (a service of several ports)` : rule);
  if (!isObjectName(name, 63)) fields.expected('name', rule);
  return name;
}

function refuseSharedPorts(ports: readonly CheckedServicePort[], path: string): void {
  const names = new Map<string, number>();
  const numbers = new Map<string, number>();
  ports.forEach((port, index) => {
    const sameName = names.get(port.name);
    if (sameName !== undefined) {
      refuse(
        `${path}.ports[${index}].name`,
        `${show(port.name)} is the name of ports[${sameName}]; port names must differ`,
      );
    }
    names.set(port.name, index);
    const number = port.protocol === 'ICMP' ? 'ICMP' : `${port.port}/${port.protocol}`;
    const sameNumber = numbers.get(number);
    if (sameNumber !== undefined) {
      refuse(
        `${path}.ports[${index}].port`,
        `${number} is ports[${sameNumber}] already; a port may be given once per protocol`,
      );
    }
    numbers.set(number, index);
  });
}

function refuseSharedNames(services: readonly CheckedService[], path: string): void {
  const names = new Map<string, number>();
  services.forEach((service, index) => {
    const key = serviceKey(service);
    const same = names.get(key);
    if (same !== undefined) {
      refuse(
        `${path}[${index}].name`,
        `${key} is ${path}[${same}] already; names must differ within a namespace`,
      );
    }
    names.set(key, index);
  });
}

function refuse(path: string, message: string): never {
  throw new SluiceError(CODE, message, { path });
}
