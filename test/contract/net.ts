// SPDX-License-Identifier: Apache-2.0
import type { InterfaceRequest } from '../../lib/compile/program.js';
import { macBytes, type PacketBuilder, packet } from '../support/packets.js';
import type { ProgramLiteral } from '../support/program.js';

/**
 * The network of the contract suite: clients on interface 0, pods on interface 1, in both families.
 * Hops have static MACs, but those in 10.2.0.0/16, 10.9.0.0/16, fd02::/64 and fd09::/64, which are
 * asked for by ARP and neighbour discovery.
 */
export const NET = {
  us: ['02:00:00:00:00:01', '02:00:00:00:00:02'],
  client: { mac: '02:00:00:00:00:aa', address: '10.0.0.9' },
  pod: { mac: '02:00:00:00:00:b2', address: '10.1.0.2' },
  /** One backend each: the pod, at port 8080 (80/tcp), 5353 (53/udp), 7000 (70/sctp) and by echo. */
  service: '10.96.0.10',
  /** A service whose pool has no member of weight > 0: 80/tcp and 53/udp. */
  idle: '10.96.0.11',
} as const;

/** What a case that holds in both families needs to know of one of them. */
export interface Family {
  name: 'IPv4' | 'IPv6';
  /** Of interfaces 0 and 1. */
  own: readonly [string, string];
  client: string;
  /** Another one in the client's network. */
  other: string;
  pod: string;
  /** Further addresses in the pod's network. */
  podAt(n: number): string;
  service: string;
  idle: string;
  /** Resolved by ARP or neighbour discovery on interface 1. */
  hop: string;
  /** `10.1.0.2:80` or `[fd01::2]:80` */
  at(address: string, port?: number): string;
}

export const V4: Family = {
  name: 'IPv4',
  own: ['10.0.0.1', '10.1.0.1'],
  client: NET.client.address,
  other: '10.0.0.10',
  pod: NET.pod.address,
  podAt: (n) => `10.1.0.${n}`,
  service: NET.service,
  idle: NET.idle,
  hop: '10.2.0.5',
  at: (address, port) => (port === undefined ? address : `${address}:${port}`),
};

export const V6: Family = {
  name: 'IPv6',
  own: ['fd00::1', 'fd01::1'],
  client: 'fd00::9',
  other: 'fd00::10',
  pod: 'fd01::2',
  podAt: (n) => `fd01::${n.toString(16)}`,
  service: 'fd96::10',
  idle: 'fd96::11',
  hop: 'fd02::5',
  at: (address, port) => (port === undefined ? `[${address}]` : `[${address}]:${port}`),
};

export const FAMILIES = [V4, V6] as const;

export const ADDRESSES = [
  { on: 0, address: '10.0.0.1/24' },
  { on: 1, address: '10.1.0.1/16' },
  { on: 1, address: '10.2.0.1/16' },
  { on: 0, address: 'fd00::1/64' },
  { on: 1, address: 'fd01::1/64' },
  { on: 1, address: 'fd02::1/64' },
] as const;

/** Slots of the frontends, pools and backends of a family begin here; the n-th is the n-th below. */
export const FIRST = { IPv4: 0, IPv6: 10 } as const;

/** Offsets from {@link FIRST}: of the frontend, and of the pool and the backend that serve it. */
export const OF = { tcp: 0, udp: 1, idle: 2, sctp: 3, echo: 4, idleUdp: 5 } as const;

function services({ name, service, idle, pod, at }: Family): ProgramLiteral {
  const first = FIRST[name];
  const rows = [
    { at: `${at(service, 80)}/tcp`, backend: at(pod, 8080), offset: OF.tcp },
    { at: `${at(service, 53)}/udp`, backend: at(pod, 5353), offset: OF.udp },
    { at: `${at(idle, 80)}/tcp`, backend: at(pod, 9000), offset: OF.idle, weight: 0 },
    { at: `${at(service, 70)}/sctp`, backend: at(pod, 7000), offset: OF.sctp },
    { at: `${at(service)}/ping`, backend: at(pod), offset: OF.echo },
    { at: `${at(idle, 53)}/udp`, backend: at(pod, 9001), offset: OF.idleUdp, weight: 0 },
  ];
  return {
    frontends: rows.map((row) => ({
      at: row.at,
      slot: first + row.offset,
      pool: first + row.offset,
    })),
    pools: rows.map(({ backend, offset, weight }) => ({
      slot: first + offset,
      backends: [{ slot: first + offset, at: backend, weight: weight ?? 1 }],
    })),
  };
}

const [v4, v6] = FAMILIES.map(services);

export const PROGRAM: ProgramLiteral = {
  frontends: [...(v4.frontends ?? []), ...(v6.frontends ?? [])],
  pools: [...(v4.pools ?? []), ...(v6.pools ?? [])],
  routes: [
    { to: '10.0.0.0/24', over: 0, mac: NET.client.mac },
    { to: '10.1.0.0/16', over: 1, mac: NET.pod.mac },
    { to: '10.2.0.0/16', over: 1 },
    { to: '10.9.0.0/16', over: 1, via: '10.2.0.7' },
    { to: 'fd00::/64', over: 0, mac: NET.client.mac },
    { to: 'fd01::/64', over: 1, mac: NET.pod.mac },
    { to: 'fd02::/64', over: 1 },
    { to: 'fd09::/64', over: 1, via: 'fd02::7' },
  ],
  addresses: ADDRESSES,
};

/** A memory interface for the rig. */
export function memory(slot: number, more: Partial<InterfaceRequest> = {}): InterfaceRequest {
  return {
    slot,
    kind: 'memory',
    name: `m${slot}`,
    mac: macBytes(NET.us[slot] ?? `02:00:00:00:01:0${slot}`),
    mtu: 1_500,
    worker: null,
    queues: 1,
    softwareRss: false,
    unfinishedChecksums: false,
    parameters: {},
    ...more,
  };
}

/** A packet from the client to our side of interface 0, of the destination's family. */
export function fromClient(dst: string, more: { ttl?: number; src?: string } = {}): PacketBuilder {
  const src = dst.includes(':') ? V6.client : V4.client;
  const fields = { src, dst, ...more };
  const builder = packet().eth({ src: NET.client.mac, dst: NET.us[0] });
  return dst.includes(':') ? builder.ipv6(fields) : builder.ipv4({ id: 7, ...fields });
}

/** A packet from the pod to our side of interface 1, of the destination's family. */
export function fromPod(dst: string, src?: string, more: { ttl?: number } = {}): PacketBuilder {
  const builder = packet().eth({ src: NET.pod.mac, dst: NET.us[1] });
  return dst.includes(':')
    ? builder.ipv6({ src: src ?? V6.pod, dst, ...more })
    : builder.ipv4({ src: src ?? V4.pod, dst, id: 8, ...more });
}

/** What comes out to the pod of a packet like {@link fromClient}. */
export function toPod(dst: string, src?: string): PacketBuilder {
  const builder = packet().eth({ src: NET.us[1], dst: NET.pod.mac });
  return dst.includes(':')
    ? builder.ipv6({ src: src ?? V6.client, dst, ttl: 63 })
    : builder.ipv4({ src: src ?? V4.client, dst, ttl: 63, id: 7 });
}

/** What comes out to the client of a packet like {@link fromPod}. */
export function toClient(dst: string, src: string): PacketBuilder {
  const builder = packet().eth({ src: NET.us[0], dst: NET.client.mac });
  return dst.includes(':')
    ? builder.ipv6({ src, dst, ttl: 63 })
    : builder.ipv4({ src, dst, ttl: 63, id: 8 });
}

/** A TCP packet of the client to the service. */
export function tcp(flags: string, src = 40_000, dst: string = NET.service): Uint8Array {
  return fromClient(dst).tcp({ src, dst: 80, flags, payload: 'hello' }).build();
}

/** The pod's answer to {@link tcp}. */
export function tcpReply(flags: string, dst = 40_000, to: string = V4.client): Uint8Array {
  return fromPod(to).tcp({ src: 8080, dst, flags, payload: 'world' }).build();
}

/** A UDP packet of the client to the service. */
export function udp(src = 40_000, payload = 'query', dst: string = NET.service): Uint8Array {
  return fromClient(dst).udp({ src, dst: 53, payload }).build();
}

/** The pod's answer to {@link udp}. */
export function udpReply(dst = 40_000, to: string = V4.client): Uint8Array {
  return fromPod(to).udp({ src: 5353, dst, payload: 'answer' }).build();
}
