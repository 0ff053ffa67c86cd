// SPDX-License-Identifier: Apache-2.0
import type { DropReason } from '../../lib/engine/reasons.js';
import { fragments, packet } from '../support/packets.js';
import {
  FAMILIES,
  type Family,
  fromClient,
  fromPod,
  memory,
  NET,
  tcp,
  tcpReply,
  udp,
} from './net.js';
import { contract, type Rig } from './rig.js';

/** What a router says of a packet that it cannot send on, in either family. */
interface Kind {
  reason: DropReason;
  title: string;
  IPv4: { type: number; code: number };
  IPv6: { type: number; code: number };
  /** Of the way that the packet would have gone. */
  mtu?: number;
  frame(family: Family): Uint8Array;
  before?: (rig: Rig, family: Family) => Promise<unknown>;
}

const NARROW = 1_280;
const narrowTo = ({ name }: Family) => (name === 'IPv4' ? '10.7.0.1' : 'fd07::1');
const nowhere = ({ name }: Family) => (name === 'IPv4' ? '192.0.2.1' : '2001:db8::1');
const isIpv4 = ({ name }: Family) => name === 'IPv4';

const ask = (dst: string, more: { ttl?: number; src?: string } = {}, length = 20) =>
  fromClient(dst, more)
    .udp({ src: 40_000, dst: 53, payload: new Uint8Array(length).fill(0x61) })
    .build();

const addNarrow = async (rig: Rig, family: Family) => {
  await rig.engine.addInterface(memory(2, { mtu: NARROW }));
  const to = isIpv4(family) ? '10.7.0.0/16' : 'fd07::/64';
  await rig.commit({ routes: [{ to, over: 2, mac: NET.pod.mac }] });
};

const KINDS: readonly Kind[] = [
  {
    reason: 'ttl_expired',
    title: 'time exceeded',
    IPv4: { type: 11, code: 0 },
    IPv6: { type: 3, code: 0 },
    frame: ({ pod }) => ask(pod, { ttl: 1 }),
  },
  {
    reason: 'no_route',
    title: 'no route',
    IPv4: { type: 3, code: 0 },
    IPv6: { type: 1, code: 0 },
    frame: (family) => ask(nowhere(family)),
  },
  {
    reason: 'interface_down',
    title: 'host unreachable',
    IPv4: { type: 3, code: 1 },
    IPv6: { type: 1, code: 3 },
    frame: ({ pod }) => ask(pod),
    before: (rig) => rig.engine.setLink(1, false),
  },
  {
    reason: 'mtu_exceeded',
    title: 'fragmentation needed, packet too big',
    IPv4: { type: 3, code: 4 },
    IPv6: { type: 2, code: 0 },
    mtu: NARROW,
    frame: (family) => ask(narrowTo(family), {}, 1_400),
    before: addNarrow,
  },
];

/** Out of interface `on`, to who is there, from an address of ours, up to L4. */
function toSender({ name, own, client, pod }: Family, on: 0 | 1 = 0, from = own[on]) {
  const to = on === 0 ? client : pod;
  const mac = on === 0 ? NET.client.mac : NET.pod.mac;
  const builder = packet().eth({ src: NET.us[on], dst: mac });
  return name === 'IPv4'
    ? builder.ipv4({ src: from, dst: to, tos: 0xc0, id: 0, ttl: 64 })
    : builder.ipv6({ src: from, dst: to, ttl: 64 });
}

for (const family of FAMILIES) {
  const { name, service, client, own, pod, podAt } = family;
  const most = isIpv4(family) ? 548 : 1_232;
  const timeExceeded = isIpv4(family) ? { type: 11, code: 0 } : { type: 3, code: 0 };

  for (const kind of KINDS) {
    contract(`${kind.title} is told, ${name}`, async (rig) => {
      const { t } = rig;
      await kind.before?.(rig, family);
      const frame = kind.frame(family);
      t.deepEqual(rig.pass(0, 0, frame), [
        toSender(family)
          .icmpError({
            ...kind[name],
            ...(kind.mtu !== undefined && { mtu: kind.mtu }),
            quoting: frame,
            length: most,
          })
          .build(),
      ]);
      t.deepEqual(rig.drops(), { [kind.reason]: 1 });
      t.deepEqual([rig.counter('originated'), rig.counter('answered')], [1, 0]);
    });
  }

  contract(`a packet of a flow is quoted as it came in, either way, ${name}`, async (rig) => {
    const { t } = rig;
    rig.one(0, 1, tcp('S', 40_000, service));
    rig.one(1, 0, tcpReply('SA', 40_000, client));
    const forward = fromClient(service, { ttl: 1 })
      .tcp({ src: 40_000, dst: 80, flags: 'A', payload: 'hello' })
      .build();
    t.deepEqual(rig.pass(0, 0, forward), [
      toSender(family)
        .icmpError({ ...timeExceeded, quoting: forward })
        .build(),
    ]);
    const back = fromPod(client, undefined, { ttl: 1 })
      .tcp({ src: 8080, dst: 40_000, flags: 'A', payload: 'world' })
      .build();
    t.deepEqual(rig.pass(1, 1, back), [
      toSender(family, 1)
        .icmpError({ ...timeExceeded, quoting: back })
        .build(),
    ]);
    t.deepEqual(rig.drops(), { ttl_expired: 2 });
    // The flow has seen them.
    t.like(await rig.flow(), { packets: 2, replyPackets: 2 });
  });

  contract(`the first packet of a flow makes it, and is told, ${name}`, async (rig) => {
    const { t } = rig;
    const frame = ask(service, { ttl: 1 });
    t.deepEqual(rig.pass(0, 0, frame), [
      toSender(family)
        .icmpError({ ...timeExceeded, quoting: frame })
        .build(),
    ]);
    t.is((await rig.flow()).packets, 1);
  });

  contract(`the MTU is that of the way to the backend, ${name}`, async (rig) => {
    const { t } = rig;
    await rig.engine.addInterface(memory(2, { mtu: NARROW }));
    const host = isIpv4(family) ? `${pod}/32` : `${pod}/128`;
    await rig.commit({ routes: [{ to: host, over: 2, mac: NET.pod.mac }] });
    const fits = ask(service, {}, NARROW - (isIpv4(family) ? 28 : 48));
    t.is(rig.pass(0, 2, fits).length, 1);
    const [told] = rig.read(0, 0, ask(service, {}, 1_400));
    t.like(told.icmp, isIpv4(family) ? { type: 3, code: 4 } : { type: 2, code: 0 });
    t.is(told.icmp?.seq, NARROW);
    t.like(told.icmp?.quoted?.ip, { src: client, dst: service });
  });

  contract(`echo, SCTP, resets and others are told too, ${name}`, (rig) => {
    const { t } = rig;
    const to = () => fromClient(podAt(9), { ttl: 1 });
    const frames = [
      to().icmpEcho({ payload: 'ping' }).build(),
      to().icmpEcho({ payload: 'pong', reply: true }).build(),
      to().sctp({ src: 1, dst: 2, chunk: 'data' }).build(),
      to().tcp({ src: 1, dst: 2, flags: 'R' }).build(),
      to().payload(new Uint8Array(20), 47).build(),
    ];
    t.deepEqual(
      rig.pass(0, 0, ...frames),
      frames.map((quoting) =>
        toSender(family)
          .icmpError({ ...timeExceeded, quoting })
          .build(),
      ),
    );
  });

  contract(`nobody is told about ICMP errors, other ICMP and later fragments, ${name}`, (rig) => {
    const { t } = rig;
    const about = udp(40_000, 'x', podAt(9));
    const other = isIpv4(family) ? 1 : 58;
    const silent = [
      fromClient(podAt(9), { ttl: 1 })
        .icmpError({ ...timeExceeded, quoting: about })
        .build(),
      // A type that says no error, and is no echo.
      fromClient(podAt(9), { ttl: 1 })
        .payload(Uint8Array.of(100, 0, 0, 0, 0, 0, 0, 0), other)
        .build(),
    ];
    t.deepEqual(rig.pass(0, 0, ...silent), []);
    t.deepEqual(rig.drops(), { ttl_expired: 2 });
    const long = fromClient(podAt(9), { ttl: 1 })
      .udp({ src: 1, dst: 2, payload: new Uint8Array(3_000) })
      .build();
    const pieces = fragments(long, 1_500);
    t.deepEqual(rig.pass(0, 0, ...pieces), [
      toSender(family)
        .icmpError({ ...timeExceeded, quoting: pieces[0], length: most })
        .build(),
    ]);
    t.deepEqual(rig.drops(), { ttl_expired: 5 });
    t.deepEqual([rig.counter('originated'), rig.counter('icmpLimited')], [1, 0]);
  });

  contract(`an ICMP error of a flow is sent where it leads, or nobody is told, ${name}`, (rig) => {
    const { t } = rig;
    rig.one(0, 1, tcp('S', 40_000, service));
    const seen = packet().eth({ src: NET.us[1], dst: NET.pod.mac });
    const quoting = (
      isIpv4(family) ? seen.ipv4({ src: client, dst: pod }) : seen.ipv6({ src: client, dst: pod })
    )
      .tcp({ src: 40_000, dst: 8080, flags: 'S' })
      .build();
    const error = (ttl: number) =>
      fromPod(client, podAt(77), { ttl })
        .icmpError({ ...timeExceeded, quoting })
        .build();
    t.is(rig.one(1, 0, error(64)).ip?.dst, client);
    t.deepEqual(rig.pass(1, 1, error(1)), []);
    t.deepEqual(rig.drops(), { ttl_expired: 1 });
  });

  contract(
    `the budget is that of rejected packets, ${name}`,
    (rig) => {
      const { t } = rig;
      const expired = ask(podAt(9), { ttl: 1 });
      t.is(rig.pass(0, 0, tcp('S', 1, family.idle), expired, expired, expired).length, 2);
      t.is(rig.counter('icmpLimited'), 2);
      t.deepEqual(rig.drops(), { no_backend: 1, ttl_expired: 3 });
    },
    { icmpRate: 2 },
  );

  contract(
    `without an address of ours nobody is told, and the budget is not touched, ${name}`,
    async (rig) => {
      const { t } = rig;
      const expired = ask(podAt(9), { ttl: 1 });
      await rig.commit({
        addresses: [{ on: 1, address: isIpv4(family) ? '10.1.0.1/16' : 'fd01::1/64' }],
      });
      t.deepEqual(rig.pass(0, 0, expired), []);
      t.like(await rig.engine.explain(0, expired), { reason: 'ttl_expired', rejected: false });
      await rig.commit({
        addresses: [{ on: 0, address: `${own[0]}/${isIpv4(family) ? 24 : 64}` }],
      });
      t.like(await rig.engine.explain(0, expired), { reason: 'ttl_expired', rejected: true });
      t.is(rig.pass(0, 0, expired).length, 1);
      t.is(rig.counter('icmpLimited'), 0);
    },
    { icmpRate: 1 },
  );

  contract(
    `the source is the address towards the sender, else one of the node, ${name}`,
    async (rig) => {
      const { t } = rig;
      const expired = ask(podAt(9), { ttl: 1 });
      const source = () => rig.one(0, 0, expired).ip?.src;
      const [far, near, ofNode] = isIpv4(family)
        ? ['172.16.0.1/16', '10.0.0.7/24', '10.5.0.1/32']
        : ['fd77::1/64', 'fd00::7/64', 'fd05::1/128'];
      await rig.commit({
        addresses: [
          { on: 'node', address: ofNode },
          { on: 0, address: far },
          { on: 0, address: near },
        ],
      });
      t.is(source(), near.split('/')[0]);
      await rig.commit({
        addresses: [
          { on: 'node', address: ofNode },
          { on: 0, address: far },
        ],
      });
      t.is(source(), far.split('/')[0]);
      await rig.commit({ addresses: [{ on: 'node', address: ofNode }] });
      t.is(source(), ofNode.split('/')[0]);
      if (isIpv4(family)) return;
      // A link-local one is good for one link only.
      await rig.commit({ addresses: [{ on: 0, address: 'fe80::7/64' }] });
      t.deepEqual(rig.pass(0, 0, expired), []);
    },
  );

  contract(`the node's own packets are turned back, too, ${name}`, async (rig) => {
    const { t } = rig;
    await rig.commit({ scopes: [{ on: 0, scope: 'host' }] });
    const frame = ask(podAt(9), { src: own[1], ttl: 1 });
    t.like(rig.one(0, 0, frame).ip, { src: own[0], dst: own[1] });
  });
}
