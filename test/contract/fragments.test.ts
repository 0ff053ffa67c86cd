// SPDX-License-Identifier: Apache-2.0
import {
  authentication,
  destinationOptions,
  type Extension,
  fragmentHeader,
  fragments,
  hopByHop,
  packet,
  type ReadPacket,
} from '../support/packets.js';
import { FAMILIES, type Family, FIRST, fromClient, fromPod, NET, OF, udp, V4, V6 } from './net.js';
import { contract, type Rig } from './rig.js';

const LENGTH = 4_000;
const payload = Uint8Array.from({ length: LENGTH }, (_, i) => i);

function query({ service }: Family, src = 40_000): Uint8Array {
  return fromClient(service).udp({ src, dst: 53, payload }).build();
}

function answer({ client }: Family, dst = 40_000): Uint8Array {
  return fromPod(client).udp({ src: 5353, dst, payload }).build();
}

/** The datagram that fragments make, in whatever order they are, and its L4 checksum judged. */
function reassembled(frames: readonly ReadPacket[]): {
  src: number;
  dst: number;
  bytes: Uint8Array;
} {
  const bytes = new Uint8Array(8 + LENGTH);
  let ports = { src: 0, dst: 0 };
  for (const { udp, data, fragment } of frames) {
    if (udp !== undefined) {
      ports = { src: udp.src, dst: udp.dst };
      bytes.set(udp.payload, 8);
    }
    if (data !== undefined) bytes.set(data, fragment?.offset);
  }
  return { ...ports, bytes: bytes.slice(8) };
}

const ORDERS: readonly [name: string, order: (frames: Uint8Array[]) => Uint8Array[]][] = [
  ['in order', (frames) => frames],
  ['last one first', (frames) => frames.toReversed()],
  ['first one in the middle', ([first, ...rest]) => [rest[1], first, rest[0]]],
  ['first one second', ([first, ...rest]) => [rest[0], first, rest[1]]],
];

for (const family of FAMILIES) {
  const { name, service, pod, client, other } = family;
  const slot = FIRST[name] + OF.udp;

  for (const [title, order] of ORDERS) {
    for (const apart of [false, true]) {
      contract(
        `${LENGTH} bytes of UDP in fragments, ${title}, ${apart ? 'in polls of their own' : 'in one burst'}, ${name}`,
        (rig) => {
          const { t } = rig;
          const go = (into: number, out: number, datagram: Uint8Array) => {
            const pieces = order(fragments(datagram, 1_500));
            if (!apart) return rig.read(into, out, ...pieces);
            return pieces.flatMap((piece) => rig.read(into, out, piece));
          };
          const there = go(0, 1, query(family));
          t.is(there.length, 3);
          for (const { ip } of there) t.like(ip, { src: client, dst: pod, ttl: 63 });
          t.deepEqual(reassembled(there), { src: 40_000, dst: 5353, bytes: payload });
          const back = go(1, 0, answer(family));
          for (const { ip } of back) t.like(ip, { src: service, dst: client, ttl: 63 });
          t.deepEqual(reassembled(back), { src: 53, dst: 40_000, bytes: payload });
          t.is(rig.counter('flowsCreated'), 1);
          t.is(rig.counter('fragments'), 0, 'records go when the datagram is complete');
          t.is(rig.counter('fragmentPackets'), 0);
          t.deepEqual(rig.drops(), {});
        },
      );
    }
  }

  contract(`fragments count in their flow, ${name}`, async (rig) => {
    const { t } = rig;
    const pieces = fragments(query(family), 1_500).toReversed();
    rig.pass(0, 1, ...pieces);
    const flow = await rig.flow();
    t.is(flow.packets, 3);
    t.is(
      flow.bytes,
      pieces.reduce((sum, piece) => sum + piece.length - 14, 0),
    );
    t.deepEqual(rig.interface(0).slice(0, 1), [3], 'received once, though two of them waited');
    t.is(rig.counter('rx'), 3);
  });

  contract(`fragments that wait are held, ${name}`, (rig) => {
    const { t } = rig;
    const [first, second, third] = fragments(query(family), 1_500);
    t.is(rig.pass(0, 1, third, second).length, 0);
    t.is(rig.counter('held'), 2);
    t.is(rig.counter('fragmentPackets'), 2);
    t.is(rig.counter('fragments'), 1);
    const out = rig.read(0, 1, first);
    t.deepEqual(
      out.map((frame) => frame.fragment?.offset),
      [0, offsetOf(third), offsetOf(second)],
      'the first one, then what waited, in the order of its coming',
    );
    t.is(rig.counter('held'), 0);
  });

  contract(`masqueraded fragments, ${name}`, async (rig) => {
    const { t } = rig;
    await rig.commit({
      frontends: [{ at: `${family.at(service, 53)}/udp`, slot, pool: slot, masquerade: 'outside' }],
    });
    const mine = rig.read(0, 1, ...fragments(query(family), 1_500).toReversed());
    const theirs = fragments(
      fromClient(service, { src: other }).udp({ src: 40_000, dst: 53, payload }).build(),
      1_500,
      77,
    );
    const others = rig.read(0, 1, ...theirs);
    for (const { ip } of [...mine, ...others]) t.is(ip?.src, family.own[1]);
    const port = reassembled(others).src;
    t.not(port, 40_000);
    const back = fragments(
      fromPod(family.own[1]).udp({ src: 5353, dst: port, payload }).build(),
      1_500,
      78,
    );
    const out = rig.read(1, 0, ...back.toReversed());
    for (const { ip } of out) t.like(ip, { src: service, dst: other });
    t.is(reassembled(out).dst, 40_000);
  });

  contract(`datagrams are told apart by identification and addresses, ${name}`, (rig) => {
    const { t } = rig;
    const a = fragments(query(family, 1), 1_500, 1);
    const b = fragments(query(family, 2), 1_500, 2);
    const c = fragments(
      fromClient(service, { src: other }).udp({ src: 3, dst: 53, payload }).build(),
      1_500,
      1,
    );
    const interleaved = [0, 1, 2].flatMap((i) => [a[2 - i], b[i], c[2 - i]]);
    const out = rig.read(0, 1, ...interleaved);
    t.is(out.length, 9);
    t.is(rig.counter('flowsCreated'), 3);
    for (const port of [1, 2, 3]) {
      t.is(out.filter(({ udp }) => udp?.src === port).length, 1);
    }
    t.deepEqual(rig.drops(), {});
  });

  contract(`later fragments of what made no flow are orphans, ${name}`, (rig) => {
    const { t } = rig;
    const pieces = fragments(
      fromClient(family.idle).udp({ src: 1, dst: 53, payload }).build(),
      1_500,
    );
    rig.pass(0, 0, ...pieces.toReversed());
    t.deepEqual(rig.drops(), { no_backend: 1, fragment_orphan: 2 });
    t.is(rig.counter('originated'), 1);
  });

  contract(`fragments of TCP carry its flags in the first one, ${name}`, async (rig) => {
    const { t } = rig;
    const syn = fromClient(service)
      .tcp({ src: 9, dst: 80, flags: 'S', payload: payload.slice(0, 100) })
      .build();
    t.is(rig.pass(0, 1, ...fragments(syn, [24, 64]).toReversed()).length, 3);
    t.is((await rig.flow()).state, 'unreplied');
  });

  contract(`a service of SCTP whose ports stay carries fragments, ${name}`, async (rig) => {
    const { t } = rig;
    const at = { slot: 40, pool: 40 };
    await rig.commit({
      frontends: [{ at: `${family.at(service, 71)}/sctp`, ...at }],
      pools: [{ slot: 40, backends: [{ slot: 40, at: family.at(pod, 71) }] }],
    });
    const init = (dst: number) =>
      fromClient(service).sctp({ src: 9, dst, chunk: 'init', payload: payload.slice(0, 200) });
    const out = rig.read(0, 1, ...fragments(init(71).build(), [64, 128]).toReversed());
    t.is(out.length, 3);
    for (const { ip } of out) t.is(ip?.dst, pod);
    const pieces = fragments(init(70).build(), [64, 128], 9);
    t.is(rig.pass(0, 1, ...pieces).length, 2, 'the others have no ports to change');
    t.deepEqual(rig.drops(), { fragment_untranslatable: 1 });
  });

  contract(`an echo in fragments reaches its endpoint, ${name}`, (rig) => {
    const { t } = rig;
    const ask = fromClient(service).icmpEcho({ id: 5, payload }).build();
    const out = rig.read(0, 1, ...fragments(ask, 1_500).toReversed());
    t.is(out.length, 3);
    for (const { ip } of out) t.is(ip?.dst, pod);
    const reply = fromPod(client).icmpEcho({ id: 5, reply: true, payload }).build();
    const back = rig.read(1, 0, ...fragments(reply, 1_500));
    for (const { ip } of back) t.is(ip?.src, service);
  });

  contract(`fragments that are for no service are routed as they are, ${name}`, (rig) => {
    const { t } = rig;
    const frame = fromClient(family.podAt(77)).udp({ src: 1, dst: 2, payload }).build();
    const out = rig.read(0, 1, ...fragments(frame, 1_500).toReversed());
    t.deepEqual(
      out.map(({ fragment }) => fragment?.offset).toSorted((a = 0, b = 0) => a - b),
      fragments(frame, 1_500).map(offsetOf),
    );
    t.is(rig.counter('flowsCreated'), 0);
  });

  contract(`fragments of other protocols pass by, ${name}`, (rig) => {
    const { t } = rig;
    const gre = fromClient(pod).payload(payload, 47).build();
    const [, second] = fragments(gre, 1_500);
    t.is(rig.pass(0, 1, second).length, 1);
    t.is(rig.counter('fragments'), 0);
  });

  contract(
    `a held fragment's flow may go to a neighbour that is not known, ${name}`,
    async (rig) => {
      const { t } = rig;
      await rig.commit({
        pools: [{ slot, backends: [{ slot: 40, at: family.at(family.hop, 5353) }] }],
      });
      rig.pass(0, 1, ...fragments(query(family), 1_500).toReversed());
      t.is(rig.counter('held'), 3);
      t.is(rig.counter('fragmentPackets'), 0);
    },
  );
}

function offsetOf(piece: Uint8Array): number {
  const at = piece[12] === 0x08 ? 20 : 56;
  const word = piece[at] * 256 + piece[at + 1];
  return piece[12] === 0x08 ? (word & 0x1fff) * 8 : word & 0xfff8;
}

contract('a freed fragment belongs to the burst behind, not to this one', (rig) => {
  const { t } = rig;
  const [first, second, third] = fragments(query(V4), 1_500);
  const out = rig.read(0, 1, third, second, first, udp(7));
  t.deepEqual(
    out.map(({ udp, data }) => udp?.src ?? data?.length),
    [40_000, 7, LENGTH + 8 - 2 * 1_480, 1_480],
  );
});

contract('an atomic fragment (RFC 6946) is no fragment', (rig) => {
  const { t } = rig;
  const extensions = [fragmentHeader({ offset: 0, more: false, id: 5 })];
  const frame = withExtensions(extensions);
  const out = rig.one(0, 1, frame);
  t.is(out.ip?.dst, V6.pod);
  t.like(out.udp, { dst: 5353 });
  t.is(rig.counter('fragments'), 0);
});

contract('extension headers stand before and behind a fragment header', (rig) => {
  const { t } = rig;
  const frame = withExtensions([hopByHop(), destinationOptions(), authentication()], payload);
  const out = rig.read(0, 1, ...fragments(frame, 1_500).toReversed());
  t.is(out.length, 3);
  for (const { ip } of out) t.is(ip?.dst, V6.pod);
  t.deepEqual(out.find(({ udp }) => udp !== undefined)?.ipv6?.extensions, [0, 44, 60, 51]);
});

function withExtensions(extensions: readonly Extension[], bytes = new Uint8Array(3)): Uint8Array {
  return packet()
    .eth({ src: NET.client.mac, dst: NET.us[0] })
    .ipv6({ src: V6.client, dst: V6.service, extensions })
    .udp({ src: 40_000, dst: 53, payload: bytes })
    .build();
}

contract('records of IPv4 are of one protocol', (rig) => {
  const { t } = rig;
  const udpPieces = fragments(query(V4), 1_500, 5);
  const echo = fromClient(V4.service).icmpEcho({ payload }).build();
  const pieces = fragments(echo, 1_500, 5);
  t.is(rig.pass(0, 1, udpPieces[1], pieces[1], udpPieces[0], pieces[0]).length, 4);
  t.is(rig.counter('fragments'), 2);
});

contract(
  'fragments set free in number follow in bursts',
  (rig: Rig) => {
    const { t } = rig;
    const pieces = fragments(
      query(V4),
      Array.from({ length: 120 }, (_, i) => (i + 1) * 32),
    );
    for (let n = pieces.length - 1; n > 0; n -= 40) {
      const from = Math.max(1, n - 39);
      rig.pass(0, 1, ...pieces.slice(from, n + 1).toReversed());
    }
    t.is(rig.counter('held'), 120);
    const out = rig.read(0, 1, pieces[0]);
    t.is(out.length, 121);
    t.deepEqual(reassembled(out), { src: 40_000, dst: 5353, bytes: payload });
  },
  { fragmentPackets: 128 },
);
