// SPDX-License-Identifier: Apache-2.0
import { fragment, fragments, packet } from '../support/packets.js';
import type { DropCase } from './drop-cases.js';
import {
  FAMILIES,
  type Family,
  FIRST,
  fromClient,
  fromPod,
  NET,
  OF,
  tcp,
  tcpReply,
  udp,
} from './net.js';
import type { Rig } from './rig.js';

/** What the stages from fragment to nat drop, in both families. */

function fragmentCases({ name, service, idle }: Family): DropCase[] {
  const datagram = (id: number) => {
    const payload = new Uint8Array(72);
    return fromClient(service)
      .udp({ src: 40_000 + id, dst: 53, payload })
      .build();
  };
  const [first, second, third] = fragments(datagram(0), [24, 48]);
  const manyPieces = Array.from({ length: 129 }, (_, i) => i).map((i) =>
    fragment(
      fromClient(service)
        .udp({ src: 1, dst: 53, payload: new Uint8Array(2_048) })
        .build(),
      {
        from: i * 8,
        to: i * 8 + 8,
      },
    ),
  );
  const rejected = fragments(
    fromClient(idle)
      .udp({ src: 1, dst: 53, payload: new Uint8Array(40) })
      .build(),
    [24],
  );
  const sctp = fromClient(service)
    .sctp({ src: 1, dst: 70, chunk: 'init', payload: new Uint8Array(64) })
    .build();
  return [
    {
      reason: 'fragment_overlap',
      title: `${name}, the same again`,
      frame: [first, third, third],
    },
    {
      reason: 'fragment_overlap',
      title: `${name}, a byte of another`,
      frame: [first, second, fragment(datagram(0), { from: 40, to: 72 })],
    },
    {
      reason: 'fragment_overlap',
      title: `${name}, and all that wait with it`,
      frame: [second, fragment(datagram(0), { from: 40, to: 56 })],
      count: 2,
    },
    {
      reason: 'fragment_timeout',
      title: `${name}, the first one does not come`,
      frame: second,
      after: 30_000,
    },
    {
      reason: 'fragment_table_full',
      title: `${name}, a second datagram`,
      options: { fragments: 1 },
      frame: [first, fragments(datagram(1), [24, 48], 2)[0]],
    },
    {
      reason: 'fragment_queue_full',
      title: `${name}, a second one would wait`,
      options: { fragmentPackets: 1 },
      frame: [second, third],
    },
    {
      reason: 'fragment_queue_full',
      title: `${name}, range 129 of a datagram`,
      frame: manyPieces,
    },
    {
      reason: 'fragment_orphan',
      title: `${name}, the first one was rejected`,
      before: (rig) => rig.pass(0, 0, rejected[0]),
      frame: rejected[1],
    },
    {
      reason: 'fragment_untranslatable',
      title: `${name}, SCTP whose port changes`,
      frame: fragments(sctp, [24])[0],
      makesFlow: true,
    },
  ];
}

function serviceCases(family: Family): DropCase[] {
  const { name, service, own, at, other, client, podAt } = family;
  const unrelated = fromClient(service)
    .icmpError({
      type: name === 'IPv4' ? 3 : 1,
      quoting: fromPod(client).udp({ src: 1, dst: 2 }).build(),
    })
    .build();
  const limited = podAt(200);
  return [
    { reason: 'icmp_error_unrelated', title: `${name}`, frame: unrelated },
    {
      reason: 'source_not_allowed',
      title: `${name}, in none of the ranges`,
      before: (rig) =>
        rig.commit({
          frontends: [
            {
              at: `${at(limited, 80)}/tcp`,
              slot: 40,
              pool: FIRST[name] + OF.tcp,
              kind: 'external',
              ranges: ['192.0.2.0/24', `${other}/${name === 'IPv4' ? 32 : 128}`, '2001:db8::/32'],
            },
          ],
        }),
      frame: fromClient(limited).tcp({ src: 1, dst: 80, flags: 'S' }).build(),
    },
    ...[
      fromClient(service).tcp({ src: 1, dst: 81, flags: 'S' }),
      fromClient(service).udp({ src: 1, dst: 80 }),
      fromClient(service).sctp({ src: 1, dst: 80, chunk: 'init' }),
      fromClient(family.idle).icmpEcho(),
      fromClient(service).payload(new Uint8Array(8), 47),
    ].map(
      (builder, i): DropCase => ({
        reason: 'service_port_unknown',
        title: `${name}, ${['TCP', 'UDP', 'SCTP', 'echo', 'GRE'][i]}`,
        frame: builder.build(),
        rejected: true,
      }),
    ),
    {
      reason: 'service_port_unknown',
      title: `${name}, ICMP other than echo: nobody is told`,
      frame: fromClient(service)
        .icmp({ type: name === 'IPv4' ? 13 : 200 })
        .build(),
    },
    {
      reason: 'service_port_unknown',
      title: `${name}, TCP with RST: nobody is told`,
      frame: fromClient(service).tcp({ src: 1, dst: 81, flags: 'R' }).build(),
    },
    {
      reason: 'service_address_unknown',
      title: `${name}, in a service network`,
      before: (rig) => rig.commit({ serviceNetworks: ['10.96.0.0/16', 'fd96::/112'] }),
      frame: fromClient(name === 'IPv4' ? '10.96.99.99' : 'fd96::9999')
        .udp({ src: 1, dst: 53 })
        .build(),
    },
    {
      reason: 'not_for_host',
      title: `${name}, UDP`,
      frame: fromClient(own[0]).udp({ src: 5, dst: 53 }).build(),
    },
    {
      reason: 'not_for_host',
      title: `${name}, echo reply`,
      frame: fromClient(own[1]).icmpEcho({ reply: true }).build(),
    },
    {
      reason: 'not_for_host',
      title: `${name}, echo request with a code`,
      frame: fromClient(own[1]).icmp({ code: 1 }).build(),
    },
    {
      reason: 'not_for_host',
      title: `${name}, echo request in fragments`,
      frame: fragments(
        fromClient(own[0])
          .icmpEcho({ payload: new Uint8Array(40) })
          .build(),
        [24],
      )[0],
    },
  ];
}

function natCases(family: Family): DropCase[] {
  const { name, service, idle, client, at, pod } = family;
  const first = FIRST[name];
  const otherFamily = name === 'IPv4' ? FIRST.IPv6 : FIRST.IPv4;
  const syn = tcp('S', 40_000, service);
  const flows = name === 'IPv4' ? 'flows' : 'flows6';
  /** A connection whose backend is flushed. */
  const flushed = async (rig: Rig) => {
    rig.pass(0, 1, syn);
    rig.pass(1, 0, tcpReply('SA', 40_000, client));
    rig.pass(0, 1, tcp('A', 40_000, service));
    await rig.commit({
      backends: [{ slot: first + OF.tcp, at: at(pod, 8080), flushed: true }],
    });
  };
  const masqueraded = (rig: Rig) =>
    rig.commit({
      frontends: [
        {
          at: `${at(service, 80)}/tcp`,
          slot: first + OF.tcp,
          pool: first + OF.tcp,
          masquerade: 'outside',
        },
      ],
    });
  return [
    { reason: 'no_backend', title: `${name}, all drain`, frame: tcp('S', 1, idle), rejected: true },
    {
      reason: 'no_backend',
      title: `${name}, no members at all`,
      frame: tcp('S', 1, idle),
      before: (rig) => rig.commit({ pools: [{ slot: first + OF.idle }] }),
      rejected: true,
    },
    {
      reason: 'no_backend',
      title: `${name}, a backend of the other family`,
      frame: tcp('S', 1, idle),
      before: (rig) =>
        rig.commit({
          pools: [{ slot: first + OF.idle, members: [{ backend: otherFamily + OF.tcp }] }],
        }),
    },
    {
      reason: 'no_local_backend',
      title: `${name}`,
      frame: tcp('S', 1, idle),
      before: (rig) => rig.commit({ pools: [{ slot: first + OF.idle, silent: true }] }),
    },
    {
      reason: 'backend_flushed',
      title: `${name}, from the client`,
      frame: tcp('A', 40_000, service),
      before: flushed,
      rejected: true,
    },
    {
      reason: 'backend_flushed',
      title: `${name}, from the endpoint: it is not told`,
      into: 1,
      frame: tcpReply('A', 40_000, client),
      before: flushed,
    },
    { reason: 'tcp_no_flow', title: `${name}, RST`, frame: tcp('R', 1, service) },
    { reason: 'tcp_no_flow', title: `${name}, FIN`, frame: tcp('FA', 1, service) },
    {
      reason: 'tcp_no_flow',
      title: `${name}, FIN for a service without backends`,
      frame: tcp('FA', 1, idle),
    },
    {
      reason: 'tcp_no_flow',
      title: `${name}, SCTP ABORT`,
      frame: fromClient(service).sctp({ src: 1, dst: 70, chunk: 'abort' }).build(),
    },
    {
      reason: 'tcp_no_flow',
      title: `${name}, midway, without pick-up`,
      options: { tcpPickup: false },
      frame: tcp('A', 1, service),
    },
    {
      reason: 'flow_table_full',
      title: `${name}, no pair is free`,
      frame: udp(40_001, 'x', service),
      options: { [flows]: 1 },
      before: (rig) => rig.pass(0, 1, udp(40_000, 'x', service)),
    },
    {
      reason: 'snat_address_missing',
      title: `${name}`,
      frame: syn,
      before: async (rig) => {
        await masqueraded(rig);
        await rig.commit({ addresses: [] });
      },
    },
    {
      reason: 'snat_ports_exhausted',
      title: `${name}`,
      options: { snatPortMin: 5_000, snatPortMax: 5_000 },
      frame: tcp('S', 2, service),
      before: async (rig) => {
        await masqueraded(rig);
        rig.pass(0, 1, tcp('S', 1, service));
      },
    },
    {
      reason: 'no_route',
      title: `${name}, to masquerade by`,
      frame: syn,
      before: async (rig) => {
        await masqueraded(rig);
        await rig.commit({ removedRoutes: [name === 'IPv4' ? '10.1.0.0/16' : 'fd01::/64'] });
      },
    },
  ];
}

/** What comes in by interface 1 from an address of ours, on an interface of scope host, is no martian. */
const SCOPES: readonly DropCase[] = FAMILIES.map(({ name, own }) => ({
  reason: 'martian_source',
  title: `${name}, our own address, of scope pod`,
  into: 1,
  before: (rig: Rig) => rig.commit({ scopes: [{ on: 1, scope: 'pod' }] }),
  frame: packet()
    .eth({ src: NET.pod.mac, dst: NET.us[1] })
    .ip({ src: own[1], dst: own[0] })
    .udp({ src: 1, dst: 2 })
    .build(),
}));

export const SERVICE_CASES: readonly DropCase[] = [
  ...FAMILIES.flatMap((family) => [
    ...fragmentCases(family),
    ...serviceCases(family),
    ...natCases(family),
  ]),
  ...SCOPES,
];
