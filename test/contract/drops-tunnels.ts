// SPDX-License-Identifier: Apache-2.0
import { type Carrier, datagram, packet, put16 } from '../support/packets.js';
import type { DropCase } from './drop-cases.js';
import { FAMILIES, fromPod, NET } from './net.js';
import {
  addTunnel,
  carried,
  FAR,
  GRE,
  GRE_KEY,
  INWARDS,
  IPIP,
  NO_STATION,
  request,
  type Shape,
  VXLAN,
} from './tunnel-net.js';

/** Of both families outside. */
export const TUNNEL_CASES: readonly DropCase[] = FAMILIES.flatMap((family): DropCase[] => {
  const { name, client, own, other } = family;
  const far = FAR[name];
  const inside = datagram(INWARDS, far.host, family.pod);
  const out = fromPod(far.host).udp({ src: 1, dst: 2 }).build();
  const malformed = (title: string, shape: Shape, frame: Uint8Array): DropCase => ({
    reason: 'malformed_tunnel',
    title: `${shape.title} over ${name}, ${title}`,
    frame,
    before: (rig) => addTunnel(rig, shape, family),
  });
  const gre = (fields: Partial<Extract<Carrier, { kind: 'gre' }>>) =>
    carried(family, { kind: 'gre', ...fields }, inside);
  const short = (shape: Shape, bytes: number) => {
    const builder = packet().eth({ src: NET.client.mac, dst: NET.us[0] });
    builder.ip({ src: client, dst: own[0] });
    const whole = carried(family, shape.carrier, inside);
    const at = name === 'IPv4' ? 34 : 54;
    return builder.payload(whole.slice(at, at + bytes), 47).build();
  };
  const vxlanOf = (bytes: number) => {
    const frame = carried(family, VXLAN.carrier, inside);
    const at = name === 'IPv4' ? 34 : 54;
    put16(frame, at + 4, 8 + bytes);
    return frame;
  };
  const loop = name === 'IPv4' ? '10.51.0.9' : 'fd51::9';
  return [
    malformed('version 1', GRE, gre({ flags: 1 })),
    malformed('routing', GRE, gre({ flags: 0x4000 })),
    malformed('a reserved flag', GRE, gre({ flags: 0x0080 })),
    malformed('not IP inside', GRE, gre({ type: 0x6558 })),
    malformed('a wrong checksum', GRE, gre({ checksum: 1 })),
    malformed('cut short in its header', GRE, short(GRE, 3)),
    malformed('cut short in its key', GRE_KEY, short(GRE_KEY, 7)),
    malformed('no flag', VXLAN, carried(family, { kind: 'vxlan', vni: 4_711, flags: 0 }, inside)),
    malformed(
      'a flag too many',
      VXLAN,
      carried(family, { kind: 'vxlan', vni: 4_711, flags: 0x0c }, inside),
    ),
    malformed('cut short', VXLAN, vxlanOf(7)),
    {
      reason: 'malformed_ethernet',
      title: `VXLAN over ${name}, nothing inside`,
      frame: vxlanOf(8),
      before: (rig) => addTunnel(rig, VXLAN, family),
    },
    ...[GRE, IPIP, VXLAN].map(
      (shape): DropCase => ({
        reason: 'tunnel_no_remote',
        title: `${shape.title} over ${name}`,
        into: 1,
        frame: out,
        before: (rig) => addTunnel(rig, shape, family, { remote: null }),
      }),
    ),
    {
      reason: 'tunnel_loop',
      title: `${name}, by itself`,
      into: 1,
      frame: out,
      before: (rig) => addTunnel(rig, GRE, family, { remote: far.own }),
    },
    {
      reason: 'tunnel_loop',
      title: `${name}, by another tunnel`,
      into: 1,
      frame: out,
      before: async (rig) => {
        await addTunnel(rig, IPIP, family, { remote: loop });
        await rig.engine.addInterface(request(GRE, family, { slot: 3, remote: other }));
        const to = name === 'IPv4' ? '10.51.0.0/16' : 'fd51::/64';
        await rig.commit({ routes: [{ to, over: 3, mac: NO_STATION }] });
      },
    },
    {
      reason: 'no_route',
      title: `${name}, to the other end of a tunnel`,
      into: 1,
      frame: out,
      before: (rig) =>
        addTunnel(rig, GRE, family, { remote: name === 'IPv4' ? '203.0.113.1' : '2001:db8::1' }),
    },
    {
      reason: 'neighbour_unresolved',
      title: `${name}, the way to the other end of a tunnel`,
      into: 1,
      frame: out,
      before: (rig) => addTunnel(rig, GRE, family, { remote: family.hop }),
      after: 3_000,
    },
    {
      reason: 'neighbour_queue_full',
      title: `${name}, of the way to the other end of a tunnel`,
      options: { heldPerNeighbour: 1 },
      into: 1,
      frame: [out, out],
      before: (rig) => addTunnel(rig, GRE, family, { remote: family.hop }),
    },
  ];
});
