// SPDX-License-Identifier: Apache-2.0
// The network that every benchmark runs in: clients on one side of the device under test, backends
// on the other, the generator being both.
import ipaddr from 'ipaddr.js';
import type { Service } from '../../lib/index.js';
import type { Attachment, Population } from './traffic.js';

export type Family = Population['family'];
export type WireKind = Attachment['kind'];

/** MACs of one side: the device's, and the generator's. */
interface Side {
  mac: string;
  generatorMac: string;
  addresses: readonly string[];
}

export const CLIENTS: Side = {
  mac: '02:00:00:00:00:01',
  generatorMac: '02:00:00:00:00:0a',
  addresses: ['10.0.0.1/24', 'fd00:0:0:1::1/64'],
};
export const BACKENDS: Side = {
  mac: '02:00:00:00:00:02',
  generatorMac: '02:00:00:00:00:0b',
  addresses: ['10.0.1.1/24', 'fd00:0:0:2::1/64'],
};

/** Sluice's routes to both sides. No neighbour is asked for. */
export const ROUTES: readonly string[] = [
  `10.16.0.0/12,dev=clients,mac=${CLIENTS.generatorMac}`,
  `172.16.0.0/12,dev=backends,mac=${BACKENDS.generatorMac}`,
  `fd00:10::/32,dev=clients,mac=${CLIENTS.generatorMac}`,
  `fd00:172::/32,dev=backends,mac=${BACKENDS.generatorMac}`,
];

const SERVICE_PORT = 80;
const BACKEND_PORT = 8080;
const BASES = {
  4: { clients: '10.16.0.0', services: '10.96.0.0', backends: '172.16.0.0' },
  6: { clients: 'fd00:10::', services: 'fd00:96::', backends: 'fd00:172::' },
} as const;
/** Clients of one population: flow `f` comes from the client `f mod 2^16`. */
const CLIENTS_EACH = 2 ** 16;

/** The services that are set up; populations use some or all of them. */
export interface Services {
  count: number;
  /** Backends of each. */
  each: number;
  families: readonly Family[];
  protocols: readonly Population['protocol'][];
}

/** Every IPv4 client of every population is in it. */
export const CLIENT_NETWORK = '10.16.0.0/12';

/** So many routes to nowhere beside {@link ROUTES}: no packet takes one, every look-up passes by them. */
export function moreRoutes(count: number): string[] {
  return Array.from(
    { length: count },
    (_, index) =>
      `${addressAt('20.0.0.0', index * 256)}/24,dev=backends,mac=${BACKENDS.generatorMac}`,
  );
}

/** IPv4 addresses of all backends, in their order. */
export function backendAddresses({ count, each }: Services): string[] {
  return Array.from({ length: count * each }, (_, index) => addressAt(BASES[4].backends, index));
}

/** The services as the model wants them. */
export function serviceModel({ count, each, families, protocols }: Services): Service[] {
  return Array.from({ length: count }, (_, index) => ({
    name: `s${index}`,
    addresses: families.map((family) => addressAt(BASES[family].services, index)),
    ports: protocols.map((protocol) => ({
      name: protocol,
      protocol: protocol === 'udp' ? ('UDP' as const) : ('TCP' as const),
      port: SERVICE_PORT,
      backends: families.flatMap((family) =>
        Array.from({ length: each }, (_, backend) => ({
          address: addressAt(BASES[family].backends, index * each + backend),
          port: BACKEND_PORT,
        })),
      ),
    })),
  }));
}

/** Who talks to whom in one run. */
export function population(
  services: Services,
  flows: number,
  more: {
    family?: Family;
    protocol?: Population['protocol'];
    spread?: Population['spread'];
    /** Which set of clients, 0 to 15: those of another one are strangers to the flow table. */
    clients?: number;
  } = {},
): Population {
  const { family = 4, protocol = 'udp', spread = 'even', clients = 0 } = more;
  const bases = BASES[family];
  return {
    family,
    protocol,
    flows,
    spread,
    clients: addressAt(bases.clients, (clients % 16) * CLIENTS_EACH),
    services: { base: bases.services, count: services.count, port: SERVICE_PORT },
    backends: { base: bases.backends, each: services.each, port: BACKEND_PORT },
  };
}

/** The address so many after `base`, of either family. */
export function addressAt(base: string, offset: number): string {
  const bytes = ipaddr.parse(base).toByteArray();
  let carry = offset;
  for (let at = bytes.length - 1; at >= 0 && carry > 0; at--) {
    const sum = bytes[at]! + carry;
    bytes[at] = sum % 256;
    carry = Math.floor(sum / 256);
  }
  return ipaddr.fromByteArray(bytes).toString();
}
