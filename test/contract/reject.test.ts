// SPDX-License-Identifier: Apache-2.0
import { fragments, packet } from '../support/packets.js';
import { FAMILIES, type Family, fromClient, NET, tcp, udp } from './net.js';
import { contract } from './rig.js';

/** What tells the client that its packet to `from` was rejected, up to L4. */
function answer({ name, client }: Family, from: string, tos: number) {
  const builder = packet().eth({ src: NET.us[0], dst: NET.client.mac });
  return name === 'IPv4'
    ? builder.ipv4({ src: from, dst: client, tos, id: 0, ttl: 64 })
    : builder.ipv6({ src: from, dst: client, ttl: 64 });
}

const RESETS: readonly {
  flags: string;
  seq: number;
  ack: number;
  payload: string;
  reset: { flags: string; seq: number; ack: number };
}[] = [
  { flags: 'S', seq: 100, ack: 0, payload: '', reset: { flags: 'RA', seq: 0, ack: 101 } },
  { flags: 'S', seq: 100, ack: 0, payload: 'four', reset: { flags: 'RA', seq: 0, ack: 105 } },
  { flags: 'S', seq: 0xffffffff, ack: 7, payload: '', reset: { flags: 'RA', seq: 0, ack: 0 } },
  { flags: 'SA', seq: 100, ack: 55, payload: '', reset: { flags: 'R', seq: 55, ack: 0 } },
  {
    flags: 'A',
    seq: 100,
    ack: 0xfffffff0,
    payload: 'x',
    reset: { flags: 'R', seq: 0xfffffff0, ack: 0 },
  },
  { flags: 'P', seq: 100, ack: 9, payload: 'xyz', reset: { flags: 'RA', seq: 0, ack: 103 } },
];

for (const family of FAMILIES) {
  const { name, service, idle } = family;
  for (const { flags, seq, ack, payload, reset } of RESETS) {
    contract(`TCP with ${flags}, ${seq}, ${ack} and "${payload}" is reset, ${name}`, (rig) => {
      const fields = { src: 1_234, dst: 80, flags, seq, ack, payload };
      const told = rig.pass(0, 0, fromClient(idle).tcp(fields).build());
      rig.t.deepEqual(told, [
        answer(family, idle, 0)
          .tcp({ src: 80, dst: 1_234, window: 0, ...reset })
          .build(),
      ]);
      rig.t.deepEqual(rig.drops(), { no_backend: 1 });
      rig.t.is(rig.counter('originated'), 1);
      rig.t.is(rig.counter('answered'), 0);
    });
  }

  contract(`FIN counts in the sequence of a reset, ${name}`, (rig) => {
    const fields = { src: 1_234, dst: 81, flags: 'F', seq: 10, payload: 'ab' };
    const [told] = rig.read(0, 0, fromClient(service).tcp(fields).build());
    rig.t.like(told.tcp, { flags: 'RA', seq: 0, ack: 13 });
  });

  contract(`TCP options do not count in the sequence of a reset, ${name}`, (rig) => {
    const fields = { src: 1_234, dst: 81, flags: 'S', seq: 10, dataOffset: 7 };
    const payload = `${'\x01'.repeat(8)}data`;
    const [told] = rig.read(
      0,
      0,
      fromClient(service)
        .tcp({ ...fields, payload })
        .build(),
    );
    rig.t.like(told.tcp, { flags: 'RA', seq: 0, ack: 15 });
  });

  const most = name === 'IPv4' ? 548 : 1_232;
  const header = name === 'IPv4' ? 28 : 48;
  const unreachable = name === 'IPv4' ? { type: 3, code: 3 } : { type: 1, code: 4 };
  const tos = name === 'IPv4' ? 0xc0 : 0;

  for (const length of [0, 1, most - header, most - header + 1, 1_452]) {
    contract(`UDP with ${length} bytes is answered by port unreachable, ${name}`, (rig) => {
      const frame = fromClient(idle)
        .udp({ src: 1_234, dst: 53, payload: new Uint8Array(length).fill(0x61) })
        .pad(7)
        .build();
      const quoting = frame.slice(0, frame.length - 7);
      rig.t.deepEqual(rig.pass(0, 0, frame), [
        answer(family, idle, tos)
          .icmpError({ ...unreachable, quoting, length: most })
          .build(),
      ]);
    });
  }

  contract(`SCTP, echo and others are answered by port unreachable, ${name}`, (rig) => {
    const { t } = rig;
    const asks = [
      fromClient(idle).sctp({ src: 1, dst: 70, chunk: 'init' }).build(),
      fromClient(idle).icmpEcho({ payload: 'anybody?' }).build(),
      fromClient(idle).payload(new Uint8Array(20), 47).build(),
    ];
    const told = rig.pass(0, 0, ...asks);
    t.deepEqual(
      told,
      asks.map((quoting) =>
        answer(family, idle, tos)
          .icmpError({ ...unreachable, quoting })
          .build(),
      ),
    );
    t.deepEqual(rig.drops(), { service_port_unknown: 3 });
  });

  contract(`the first fragment is answered for all of them, ${name}`, (rig) => {
    const { t } = rig;
    const datagram = fromClient(idle).udp({ src: 1, dst: 53, payload: new Uint8Array(3_000) });
    const pieces = fragments(datagram.build(), 1_500);
    const told = rig.pass(0, 0, ...pieces);
    t.is(told.length, 1);
    t.deepEqual(told, [
      answer(family, idle, tos)
        .icmpError({ ...unreachable, quoting: pieces[0], length: most })
        .build(),
    ]);
    t.deepEqual(rig.drops(), { no_backend: 1, fragment_orphan: 2 });
  });

  contract(
    `the budget of ${name} is a rate, full at the start`,
    (rig) => {
      const { t } = rig;
      const ask = (n: number) => udp(n, 'x', idle);
      const told = (count: number) =>
        rig.pass(0, 0, ...Array.from({ length: count }, (_, n) => ask(n))).length;
      t.is(told(12), 10);
      t.is(rig.counter('icmpLimited'), 2);
      // 10 a second: one in 100 ms. Each pass takes a millisecond by itself.
      rig.step(98);
      t.is(told(1), 0);
      t.is(told(2), 1);
      rig.step(349);
      t.is(told(5), 3);
      rig.step(60_000);
      t.is(told(20), 10);
      t.is(rig.counter('originated'), 24);
      t.is(rig.counter('icmpLimited'), 16);
    },
    { icmpRate: 10 },
  );

  contract(
    `resets come out of the same budget, ${name}`,
    (rig) => {
      const { t } = rig;
      const syns = Array.from({ length: 3 }, (_, n) => tcp('S', n, idle));
      t.is(rig.pass(0, 0, ...syns).length, 2);
      t.is(rig.pass(0, 0, udp(1, 'x', idle)).length, 0);
      t.is(rig.counter('icmpLimited'), 2);
    },
    { icmpRate: 2 },
  );
}

contract('packets that are originated are sent behind the burst', (rig) => {
  const { t } = rig;
  const [v4] = FAMILIES;
  const own = fromClient(v4.own[0]).icmpEcho().build();
  const out = rig.read(0, 0, udp(1, 'x', v4.idle), own, tcp('S', 1, v4.idle), own);
  t.deepEqual(
    out.map(({ icmp, tcp }) => icmp?.type ?? tcp?.flags),
    [0, 0, 3, 'RA'],
  );
});
