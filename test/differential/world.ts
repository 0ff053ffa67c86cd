// SPDX-License-Identifier: Apache-2.0
import fc from 'fast-check';

/**
 * A small world, so that random packets meet random programs often: four interfaces, a handful of
 * clients, backends and services in each family, and addresses that nobody may use.
 */

/** Clients, pods, a gateway, the node's own processes. */
export const INTERFACES = [0, 1, 2, 3] as const;
export const MACS = INTERFACES.map((slot) => `02:00:00:00:00:0${slot}`);
export const PEER_MACS = INTERFACES.map((slot) => `02:00:00:00:01:0${slot}`);
export const MTUS = [1_500, 1_400, 1_500, 1_500];
/** Interfaces whose peers leave checksums to be finished. */
export const UNFINISHED = [false, true, false, true];

export interface World {
  family: 4 | 6;
  /** Of interfaces 0 to 2. */
  own: readonly string[];
  clients: readonly string[];
  /** The last one is behind the gateway. */
  backends: readonly string[];
  services: readonly string[];
  /** Of kind external. */
  external: string;
  gateway: string;
  odd: readonly string[];
  networks: {
    connected: readonly string[];
    behindGateway: string;
    host: string;
    other: string;
    everything: string;
    pods: string;
    services: string;
  };
}

export const V4: World = {
  family: 4,
  own: ['10.0.0.1', '10.1.0.1', '192.168.0.1'],
  clients: ['10.0.0.2', '10.0.0.3'],
  backends: ['10.1.0.2', '10.1.0.3', '10.1.0.4', '10.2.0.2'],
  services: ['10.96.0.1', '10.96.0.2'],
  external: '10.97.0.1',
  gateway: '192.168.0.2',
  odd: [
    '0.0.0.0',
    '127.0.0.1',
    '224.0.0.1',
    '255.255.255.255',
    '172.16.0.9',
    '10.0.0.255',
    '10.96.0.9',
  ],
  networks: {
    connected: ['10.0.0.0/24', '10.1.0.0/24', '192.168.0.0/30'],
    behindGateway: '10.2.0.0/16',
    host: '10.2.0.2/32',
    other: '10.1.0.3/32',
    everything: '0.0.0.0/0',
    pods: '10.1.0.0/24',
    services: '10.96.0.0/16',
  },
};

export const V6: World = {
  family: 6,
  own: ['fd00::1', 'fd01::1', 'fd19::1'],
  clients: ['fd00::2', 'fd00::3'],
  backends: ['fd01::2', 'fd01::3', 'fd01::4', 'fd02::2'],
  services: ['fd96::1', 'fd96::2'],
  external: 'fd97::1',
  gateway: 'fd19::2',
  odd: ['::', '::1', 'ff02::1', 'fe80::9', '::ffff:a00:2', '2001:db8::9', 'fd96::9'],
  networks: {
    connected: ['fd00::/64', 'fd01::/64', 'fd19::/64'],
    behindGateway: 'fd02::/64',
    host: 'fd02::2/128',
    other: 'fd01::3/128',
    everything: '::/0',
    pods: 'fd01::/64',
    services: 'fd96::/112',
  },
};

export const WORLDS = [V4, V6] as const;

/** A frame and the interface that it comes in by. */
export interface Arrival {
  on: number;
  frame: Uint8Array;
}

/** In brackets where that is needed. */
export function at({ family }: World, address: string, port?: number): string {
  const host = family === 6 ? `[${address}]` : address;
  return port === undefined ? host : `${host}:${port}`;
}

/** Ports of services, of node ports and of backends. */
export const SERVICE_PORTS = [53, 80] as const;
export const NODE_PORT = 30_000;
export const BACKEND_PORTS = [53, 8080] as const;
/** Within and outside of the range that is given to masqueraded connections. */
export const CLIENT_PORTS = [1_000, 1_001, 1_002, 40_000] as const;
export const SNAT_PORTS = { min: 1_000, max: 1_002 } as const;

export const pick = <T>(...values: readonly T[]) => fc.constantFrom(...values);

/** `usual` but for one time in `rare`. */
export const mostly = <T>(rare: number, usual: fc.Arbitrary<T>, unusual: fc.Arbitrary<T>) =>
  fc.oneof({ weight: rare - 1, arbitrary: usual }, { weight: 1, arbitrary: unusual });

/** Nothing, and now and then one of the ways to be wrong. */
export function breakage<T extends object>(...ways: T[]): fc.Arbitrary<Partial<T>> {
  return mostly<Partial<T>>(12, fc.constant({}), pick(...ways));
}
