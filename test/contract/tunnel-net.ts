// SPDX-License-Identifier: Apache-2.0
import type { InterfaceRequest } from '../../lib/compile/program.js';
import { advertisement, arp, type Carrier, carry, macBytes, packet } from '../support/packets.js';
import { type Family, memory, NET } from './net.js';
import type { Rig } from './rig.js';

/** MAC of the hosts behind tunnels that have stations. */
export const FAR_MAC = '02:00:00:00:00:77';
export const NO_STATION = '02:00:00:00:00:00';
/** Slot of the tunnel of a case; its packets come and go by interface 0. */
export const TUNNEL = 2;

/** Addresses behind the tunnel, and ours towards them. */
export const FAR = {
  IPv4: { host: '10.50.0.5', own: '10.50.0.1', network: '10.50.0.0/16', prefix: '10.50.0.1/16' },
  IPv6: { host: 'fd50::5', own: 'fd50::1', network: 'fd50::/64', prefix: 'fd50::1/64' },
} as const;

/** A tunnel, and what its packets look like. */
export interface Shape {
  title: string;
  kind: 'gre' | 'ipip' | 'vxlan';
  parameters: Readonly<Record<string, string>>;
  carrier: Carrier;
}

export const SHAPES: readonly Shape[] = [
  { title: 'GRE', kind: 'gre', parameters: {}, carrier: { kind: 'gre' } },
  {
    title: 'GRE with a key',
    kind: 'gre',
    parameters: { key: '4294967295' },
    carrier: { kind: 'gre', key: 4_294_967_295 },
  },
  {
    title: 'GRE with a key by flow',
    kind: 'gre',
    parameters: { key: 'flow' },
    carrier: { kind: 'gre', key: 77 },
  },
  { title: 'IPIP', kind: 'ipip', parameters: {}, carrier: { kind: 'ipip' } },
  {
    title: 'VXLAN',
    kind: 'vxlan',
    parameters: { vni: '4711' },
    carrier: { kind: 'vxlan', vni: 4_711 },
  },
];

export const [GRE, GRE_KEY, GRE_FLOW, IPIP, VXLAN] = SHAPES as [Shape, Shape, Shape, Shape, Shape];

export function macOf(slot: number): string {
  return `02:00:00:00:01:0${slot}`;
}

/** A tunnel from our address on interface 0 to the client, unless its parameters say otherwise. */
export function request(
  { kind, parameters }: Pick<Shape, 'kind' | 'parameters'>,
  outer: Family,
  more: Partial<InterfaceRequest> & { remote?: string | null } = {},
): InterfaceRequest {
  const { remote, ...rest } = more;
  const ends: Record<string, string> = { local: outer.own[0] };
  if (remote !== null) ends['remote'] = remote ?? outer.client;
  const slot = rest.slot ?? TUNNEL;
  const name = `t${slot}`;
  const all = { ...ends, ...parameters };
  return memory(slot, {
    mac: macBytes(macOf(slot)),
    kind,
    name,
    mtu: 1_400,
    ...rest,
    parameters: all,
  });
}

/** Adds a tunnel, with routes to what is behind it and, if it has stations, their MAC. */
export async function addTunnel(
  rig: Rig,
  shape: Pick<Shape, 'kind' | 'parameters'>,
  outer: Family,
  more: Parameters<typeof request>[2] = {},
): Promise<void> {
  const wanted = request(shape, outer, more);
  await rig.engine.addInterface(wanted);
  const mac = shape.kind === 'vxlan' ? FAR_MAC : NO_STATION;
  await rig.commit({
    routes: Object.values(FAR).map(({ network }) => ({ to: network, over: wanted.slot, mac })),
  });
}

/** A frame that carries another one from the client, or another source, to our end of the tunnel. */
export function carried(
  outer: Family,
  carrier: Carrier,
  inside: Uint8Array,
  more: { src?: string; dst?: string; tos?: number } = {},
): Uint8Array {
  const { tos = 0, ...ends } = more;
  const fields = { src: outer.client, dst: outer.own[0], ...ends };
  const builder = packet().eth({ src: NET.client.mac, dst: NET.us[0] });
  if (outer.name === 'IPv4') builder.ipv4({ ...fields, tos, id: 3 });
  else builder.ipv6({ ...fields, trafficClass: tos });
  return carry(builder, carrier, inside).build();
}

/** What goes through a tunnel: MACs of its far side and of ours, those of VXLAN only. */
export const INWARDS = { src: FAR_MAC, dst: macOf(TUNNEL) } as const;

/** Says where `neighbour` is, as it is asked to by us at `own`. */
export function answerTo(
  { name }: Family,
  neighbour: string,
  own: string,
  { src, dst }: { src: string; dst: string } = { src: '02:00:00:00:00:c5', dst: NET.us[1] },
): Uint8Array {
  return name === 'IPv4'
    ? arp({ operation: 2, senderMac: src, sender: neighbour, targetMac: dst, target: own, dst })
    : advertisement({ mac: src, sender: neighbour, target: neighbour, to: own, dst });
}
