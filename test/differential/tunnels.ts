// SPDX-License-Identifier: Apache-2.0
import fc from 'fast-check';
import type { InterfaceRequest } from '../../lib/compile/program.js';
import { type Carrier, carry, macBytes, packet, put16 } from '../support/packets.js';
import type { ProgramLiteral } from '../support/program.js';
import { type Arrival, MACS, mostly, PEER_MACS, pick, V4, V6, type World } from './world.js';

/** Slots of tunnels, behind those of the memory interfaces. */
export const TUNNELS = [4, 5, 6] as const;
export const NO_STATION = '02:00:00:00:00:00';

interface TunnelCase {
  kind: 'gre' | 'ipip' | 'vxlan';
  world: World;
  parameters: Readonly<Record<string, string>>;
  mtu: number;
  carriers: readonly Carrier[];
}

/** One with a key by flow, one with stations, and one that only receives. */
const CASES: Readonly<Record<(typeof TUNNELS)[number], TunnelCase>> = {
  4: {
    kind: 'gre',
    world: V4,
    parameters: { local: V4.own[0], remote: V4.clients[0], key: 'flow' },
    mtu: 1_400,
    carriers: [
      { kind: 'gre', key: 7 },
      { kind: 'gre', key: 8, checksum: true, sequence: 3 },
    ],
  },
  5: {
    kind: 'vxlan',
    world: V6,
    parameters: { local: V6.own[1], remote: V6.backends[0], vni: '7', ttl: '3' },
    mtu: 1_300,
    carriers: [{ kind: 'vxlan', vni: 7 }],
  },
  6: {
    kind: 'ipip',
    world: V4,
    parameters: { local: V4.own[0], peers: '10.0.0.0/24 192.168.0.0/30' },
    mtu: 1_480,
    carriers: [{ kind: 'ipip' }],
  },
};

export function macOf(slot: number): string {
  return `02:00:00:00:00:0${slot}`;
}

export function tunnelRequest(slot: (typeof TUNNELS)[number]): InterfaceRequest {
  const { kind, parameters, mtu } = CASES[slot];
  return {
    slot,
    kind,
    name: `t${slot}`,
    mac: macBytes(macOf(slot)),
    mtu,
    worker: null,
    queues: 1,
    softwareRss: false,
    unfinishedChecksums: false,
    parameters,
  };
}

/** What is behind tunnels, some of it behind loops of them. */
export function tunnelRoutes({
  networks,
  clients,
  backends,
}: World): NonNullable<ProgramLiteral['routes']> {
  const host = (address: string) => `${address}/${address.includes(':') ? 128 : 32}`;
  return [
    { to: networks.host, over: 4, mac: NO_STATION },
    { to: networks.other, over: 4, mac: NO_STATION },
    { to: networks.behindGateway, over: 4, mac: NO_STATION },
    { to: host(clients[1]), over: 4, mac: NO_STATION },
    { to: networks.host, over: 5 },
    { to: networks.other, over: 5, mac: PEER_MACS[1] },
    { to: host(clients[1]), over: 5, mac: PEER_MACS[2] },
    { to: networks.other, over: 6, mac: NO_STATION },
    { to: host(clients[0]), over: 4, mac: NO_STATION },
    { to: host(backends[0]), over: 4, mac: NO_STATION },
  ];
}

const broken = mostly<Carrier | null>(
  3,
  fc.constant(null),
  pick<Carrier>(
    { kind: 'gre' },
    { kind: 'gre', key: 7, flags: 0x2001 },
    { kind: 'gre', key: 7, flags: 0x6000 },
    { kind: 'gre', key: 7, checksum: 1 },
    { kind: 'gre', key: 7, type: 0x6558 },
    { kind: 'vxlan', vni: 8 },
    { kind: 'vxlan', vni: 7, flags: 0 },
    { kind: 'vxlan', vni: 7, port: 4_790 },
    { kind: 'ipip' },
  ),
);

/** A frame within another one, for a tunnel as a rule. */
export function tunnelled(inside: fc.Arbitrary<Arrival>): fc.Arbitrary<Arrival> {
  return pick(...TUNNELS).chain((slot) => {
    const { world, parameters, carriers } = CASES[slot];
    const on = world.own.indexOf(parameters['local']!);
    const senders = on === 0 ? world.clients : world.backends;
    return fc
      .record({
        inside,
        carrier: pick(...carriers),
        broken,
        src: mostly(6, pick(parameters['remote'] ?? senders[1]), pick(...senders)),
        dst: mostly(12, pick(parameters['local']!), pick(...world.own)),
        tos: pick(0, 0, 3, 1, 0xb8),
        shorter: mostly(12, fc.constant(0), fc.nat(60)),
        addressed: mostly(6, fc.constant(true), fc.constant(false)),
      })
      .map((fields) => {
        const { frame } = fields.inside;
        const inner = fields.addressed ? toTunnel(frame, slot) : frame;
        const builder = packet().eth({ src: PEER_MACS[on]!, dst: MACS[on]! });
        const { src, dst, tos } = fields;
        if (world.family === 4) builder.ipv4({ src, dst, tos });
        else builder.ipv6({ src, dst, trafficClass: tos });
        const whole = carry(builder, fields.broken ?? fields.carrier, inner).build();
        return { on, frame: fields.shorter === 0 ? whole : shorten(whole, fields.shorter) };
      });
  });
}

/** The frame as somebody on the tunnel would send it. */
function toTunnel(frame: Uint8Array, slot: number): Uint8Array {
  const copy = frame.slice();
  if (copy.length >= 14 && (copy[0] & 1) === 0) copy.set(macBytes(macOf(slot)), 0);
  return copy;
}

/** Less of the carrying packet, with a length in its IP header that says so. */
function shorten(frame: Uint8Array, bytes: number): Uint8Array {
  const copy = frame.slice(0, Math.max(54, frame.length - bytes));
  if (copy[12] !== 0x86) return copy;
  put16(copy, 18, copy.length - 54);
  return copy;
}
