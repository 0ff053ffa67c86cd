// SPDX-License-Identifier: Apache-2.0
import {
  destinationOptions,
  fragment,
  type PacketBuilder,
  packet,
  read,
} from '../support/packets.js';
import {
  FAMILIES,
  type Family,
  FIRST,
  fromClient,
  fromPod,
  NET,
  OF,
  udp,
  udpReply,
} from './net.js';
import { contract, type Rig } from './rig.js';

/** Types with a code, and whether they carry an MTU. */
const ERRORS = {
  IPv4: [
    { type: 3, code: 1 },
    { type: 3, code: 3 },
    { type: 3, code: 4, mtu: 1_300 },
    { type: 11, code: 0 },
    { type: 12, code: 0 },
  ],
  IPv6: [
    { type: 1, code: 0 },
    { type: 1, code: 4 },
    { type: 2, code: 0, mtu: 1_300 },
    { type: 3, code: 0 },
    { type: 4, code: 1 },
  ],
} as const;

interface Protocol {
  name: string;
  offset: number;
  frontend(family: Family): string;
  /** L4 of a question and its answer, between `client` and `server`. */
  ask(builder: PacketBuilder, client: number, server: 'service' | 'pod'): PacketBuilder;
  answer(builder: PacketBuilder, client: number, server: 'service' | 'pod'): PacketBuilder;
  /** Bytes of L4 that are quoted, to be tried one by one. `undefined`: all. */
  quoted: readonly (number | undefined)[];
}

const payload = 'some more of it';
const port = (service: number, pod: number) => ({ service, pod });
const TCP = port(80, 8080);
const UDP = port(53, 5353);
const SCTP = port(70, 7000);

const PROTOCOLS: readonly Protocol[] = [
  {
    name: 'TCP',
    offset: OF.tcp,
    frontend: ({ service, at }) => `${at(service, 80)}/tcp`,
    ask: (b, src, server) => b.tcp({ src, dst: TCP[server], flags: 'S', payload }),
    answer: (b, dst, server) => b.tcp({ src: TCP[server], dst, flags: 'SA', payload }),
    quoted: [8, 16, 18, 20, undefined],
  },
  {
    name: 'UDP',
    offset: OF.udp,
    frontend: ({ service, at }) => `${at(service, 53)}/udp`,
    ask: (b, src, server) => b.udp({ src, dst: UDP[server], payload }),
    answer: (b, dst, server) => b.udp({ src: UDP[server], dst, payload }),
    quoted: [8, 9, undefined],
  },
  {
    name: 'SCTP',
    offset: OF.sctp,
    frontend: ({ service, at }) => `${at(service, 70)}/sctp`,
    ask: (b, src, server) => b.sctp({ src, dst: SCTP[server], chunk: 'init', payload }),
    answer: (b, dst, server) => b.sctp({ src: SCTP[server], dst, chunk: 'initAck', payload }),
    // RFC 9260 says nothing of a CRC that nobody could check: it stays as it is.
    quoted: [8],
  },
  {
    name: 'echo',
    offset: OF.echo,
    frontend: ({ service, at }) => `${at(service)}/ping`,
    ask: (b, id) => b.icmpEcho({ id, payload }),
    answer: (b, id) => b.icmpEcho({ reply: true, id, payload }),
    quoted: [8, 9, undefined],
  },
];

/** A flow whose source the endpoint sees as `seen`, and what is quoted of it on either side. */
interface Conversation {
  seen: string;
  /** As the endpoint's side sees it: the question. */
  toPod: Uint8Array;
  /** As the client's side sees it: the answer. */
  toClient: Uint8Array;
}

function converse(rig: Rig, { service, own, client }: Family, protocol: Protocol, masked: boolean) {
  const [toPod] = rig.pass(0, 1, protocol.ask(fromClient(service), 40_000, 'service').build());
  const seen = masked ? own[1] : client;
  const [toClient] = rig.pass(1, 0, protocol.answer(fromPod(seen), 40_000, 'pod').build());
  return { seen, toPod, toClient } satisfies Conversation;
}

async function prepare(rig: Rig, family: Family, protocol: Protocol, masked: boolean) {
  if (!masked) return;
  const slot = FIRST[family.name] + protocol.offset;
  await rig.commit({
    frontends: [{ at: protocol.frontend(family), slot, pool: slot, masquerade: 'outside' }],
  });
}

/** Builders of what goes out: a frame between the given addresses, as it looks behind us. */
function outOf(slot: 0 | 1, src: string, dst: string, id: number): PacketBuilder {
  const mac = [NET.client.mac, NET.pod.mac][slot];
  const builder = packet().eth({ src: NET.us[slot], dst: mac });
  return dst.includes(':')
    ? builder.ipv6({ src, dst, ttl: 63 })
    : builder.ipv4({ src, dst, ttl: 63, id });
}

function quotedLength(family: Family, l4: number | undefined): { length?: number } {
  return l4 === undefined ? {} : { length: l4 + (family.name === 'IPv4' ? 20 : 40) };
}

for (const family of FAMILIES) {
  const { name, service, pod, client, podAt } = family;
  const router = podAt(254);
  const nearRouter = name === 'IPv4' ? '10.0.0.254' : 'fd00::fe';
  for (const protocol of PROTOCOLS) {
    for (const masked of [false, true]) {
      const how = `${protocol.name} over ${name}${masked ? ', masqueraded' : ''}`;

      contract(`an error about ${how} reaches the client in its own terms`, async (rig) => {
        const { t } = rig;
        await prepare(rig, family, protocol, masked);
        const { seen, toPod } = converse(rig, family, protocol, masked);
        let related = 0;
        for (const error of ERRORS[name]) {
          for (const l4 of protocol.quoted) {
            for (const from of [router, pod]) {
              const cut = quotedLength(family, l4);
              const ask = fromPod(seen, from).icmpError({ ...error, quoting: toPod, ...cut });
              // What the client itself has sent, one hop further.
              const sent = protocol.ask(outOf(1, client, service, 7), 40_000, 'service').build();
              const expected = outOf(0, from === pod ? service : router, client, 8)
                .icmpError({ ...error, quoting: sent, ...cut })
                .build();
              t.deepEqual(rig.pass(1, 0, ask.build()), [expected]);
              t.is(rig.counter('related'), ++related);
            }
          }
        }
      });

      contract(`an error about ${how} reaches the endpoint in its own terms`, async (rig) => {
        const { t } = rig;
        await prepare(rig, family, protocol, masked);
        const { seen, toClient } = converse(rig, family, protocol, masked);
        let related = 0;
        for (const error of ERRORS[name]) {
          for (const l4 of protocol.quoted) {
            for (const from of [nearRouter, client]) {
              const cut = quotedLength(family, l4);
              const ask = fromClient(service, { src: from }).icmpError({
                ...error,
                quoting: toClient,
                ...cut,
              });
              const sent = protocol.answer(outOf(0, pod, seen, 8), 40_000, 'pod').build();
              const expected = outOf(1, from === client ? seen : nearRouter, pod, 7)
                .icmpError({ ...error, quoting: sent, ...cut })
                .build();
              t.deepEqual(rig.pass(0, 1, ask.build()), [expected]);
              t.is(rig.counter('related'), ++related);
            }
          }
        }
      });
    }
  }

  const unreachable = ERRORS[name][1];

  contract(`an error neither counts in its flow nor keeps it alive, ${name}`, async (rig) => {
    const { t } = rig;
    const [toPod] = rig.pass(0, 1, udp(40_000, 'x', service));
    rig.wait(20);
    const error = fromPod(client)
      .icmpError({ ...unreachable, quoting: toPod })
      .build();
    rig.one(1, 0, error);
    const flow = await rig.flow();
    t.is(flow.idle, 20);
    t.is(flow.replyPackets, 0);
    t.is(flow.state, 'unreplied');
    // Nor does it find an expired one: it is a packet like others then.
    rig.wait(10, 0);
    const [plain] = rig.read(1, 0, error);
    t.is(plain.ip?.src, pod);
    t.is(rig.counter('related'), 1);
  });

  contract(`a quoted UDP checksum of zero stays zero, ${name}`, (rig) => {
    const { t } = rig;
    rig.send(0, fromClient(service).udp({ src: 40_000, dst: 53, checksum: 0 }).build());
    rig.step();
    const [toPod] = rig.engine.receive(1, 1);
    const ask = fromPod(client).icmpError({
      ...unreachable,
      quoting: toPod,
      ...quotedLength(family, 8),
    });
    rig.send(1, ask.build());
    rig.step();
    const [out] = rig.engine.receive(0, 1);
    t.like(read(out).icmp?.quoted?.udp, { src: 40_000, dst: 53, checksum: 0 });
  });

  contract(`errors that belong to no flow of ours pass as they are, ${name}`, (rig) => {
    const { t } = rig;
    const [toPod] = rig.pass(0, 1, udp(40_000, 'x', service));
    const shorter = quotedLength(family, 7);
    const to = (dst: string, quoting: Uint8Array, cut = {}) =>
      fromPod(dst, router).icmpError({ ...unreachable, quoting, ...cut });
    const foreign = [
      // Another destination than that of the flow's packets.
      to(family.other, toPod),
      // Less than eight bytes of L4.
      to(client, toPod, shorter),
      // Another port, and another protocol.
      to(client, fromClient(pod).udp({ src: 40_001, dst: 5353 }).build()),
      to(client, fromClient(pod).payload(new Uint8Array(20), 47).build()),
      // A later fragment.
      to(client, fragment(toPod, { from: 8, to: 9 })),
    ];
    for (const builder of foreign) {
      const frame = builder.build();
      const out = rig.one(1, 0, frame);
      const before = read(frame);
      t.deepEqual(out.icmp, before.icmp);
      t.is(out.ip?.src, router);
    }
    t.is(rig.counter('related'), 0);
    t.deepEqual(rig.drops(), {});
  });

  contract(`an error for a service that no flow explains is dropped, ${name}`, (rig) => {
    const { t } = rig;
    const quoting = fromPod(client, service).udp({ src: 53, dst: 41_000 }).build();
    rig.pass(
      0,
      1,
      fromClient(service)
        .icmpError({ ...unreachable, quoting })
        .build(),
    );
    t.deepEqual(rig.drops(), { icmp_error_unrelated: 1 });
    t.is(rig.counter('originated'), 0);
  });

  contract(`an error about a first fragment is one about its flow, ${name}`, (rig) => {
    const { t } = rig;
    const [toPod] = rig.pass(0, 1, udp(40_000, 'x'.repeat(64), service));
    const first = fragment(toPod, { from: 0, to: 32 });
    const out = rig.one(
      1,
      0,
      fromPod(client)
        .icmpError({ ...unreachable, quoting: first })
        .build(),
    );
    t.like(out.icmp?.quoted?.ip, { src: client, dst: service });
    t.is(rig.counter('related'), 1);
  });

  contract(
    `an error about a connection whose endpoint is gone is still told, ${name}`,
    async (rig) => {
      const { t } = rig;
      const [tcp] = PROTOCOLS;
      const { toClient } = converse(rig, family, tcp, false);
      await rig.commit({
        pools: [{ slot: FIRST[name] + OF.tcp }],
        removedBackends: [FIRST[name] + OF.tcp],
      });
      const ask = fromClient(service).icmpError({ ...unreachable, quoting: toClient });
      t.is(rig.one(0, 1, ask.build()).ip?.dst, pod);
    },
  );
}

contract('options and extension headers of the quoted packet are stepped over', (rig) => {
  const { t } = rig;
  const [v4, v6] = FAMILIES;
  const options = Uint8Array.of(1, 1, 1, 0);
  rig.one(0, 1, udp(40_000, 'x', v4.service));
  rig.one(0, 1, udp(40_000, 'x', v6.service));
  const quotedV4 = packet().ipv4({ src: v4.client, dst: v4.pod, options });
  const quotedV6 = packet().ipv6({
    src: v6.client,
    dst: v6.pod,
    extensions: [destinationOptions(), destinationOptions(2)],
  });
  const l4 = { src: 40_000, dst: 5353, payload: 'x' };
  const errors = [
    fromPod(v4.client).icmpError({ type: 3, code: 3, quoting: quotedV4.udp(l4).build() }),
    fromPod(v6.client).icmpError({ type: 1, code: 4, quoting: quotedV6.udp(l4).build() }),
  ];
  for (const frame of rig.read(1, 0, ...errors.map((error) => error.build()))) {
    const { service } = frame.ipv4 === undefined ? v6 : v4;
    t.is(frame.ip?.src, service);
    t.is(frame.icmp?.quoted?.ip?.dst, service);
    t.like(frame.icmp?.quoted?.udp, { src: 40_000, dst: 53 });
  }
  t.is(rig.counter('related'), 2);
});

contract('a path MTU message for a flow that answers does not end it', async (rig) => {
  const { t } = rig;
  const [v4] = FAMILIES;
  const [toPod] = rig.pass(0, 1, udp());
  rig.one(
    1,
    0,
    fromPod(v4.client).icmpError({ type: 3, code: 4, mtu: 576, quoting: toPod }).build(),
  );
  rig.one(1, 0, udpReply());
  t.is((await rig.flow()).state, 'established');
});
