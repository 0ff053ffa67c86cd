// SPDX-License-Identifier: Apache-2.0
import { addressText, type PacketBuilder, packet } from '../support/packets.js';
import type { FrontendLiteral } from '../support/program.js';
import { FAMILIES, type Family, FIRST, fromClient, fromPod, NET, OF, tcp, udp } from './net.js';
import { contract, type Rig } from './rig.js';

/** All services of the family masquerade sources outside. */
function masqueraded({ name, service, at }: Family): FrontendLiteral[] {
  const rows = [
    [`${at(service, 80)}/tcp`, OF.tcp],
    [`${at(service, 53)}/udp`, OF.udp],
    [`${at(service, 70)}/sctp`, OF.sctp],
    [`${at(service)}/ping`, OF.echo],
  ] as const;
  return rows.map(([frontend, offset]) => ({
    at: frontend,
    slot: FIRST[name] + offset,
    pool: FIRST[name] + offset,
    masquerade: 'outside',
  }));
}

const masquerade = (rig: Rig, family: Family) => rig.commit({ frontends: masqueraded(family) });

function portOf(frame: ReturnType<Rig['one']>): number {
  return frame.udp?.src ?? frame.tcp?.src ?? frame.sctp?.src ?? frame.icmp?.id ?? -1;
}

/** The port that a masqueraded packet of ours left with, and that its answer comes to. */
const EXCHANGES: readonly {
  name: string;
  ask(builder: PacketBuilder, port: number): PacketBuilder;
  answer(builder: PacketBuilder, port: number): PacketBuilder;
}[] = [
  {
    name: 'TCP',
    ask: (b, src) => b.tcp({ src, dst: 80, flags: 'S', payload: 'odd' }),
    answer: (b, dst) => b.tcp({ src: 8080, dst, flags: 'SA', payload: 'odd' }),
  },
  {
    name: 'UDP',
    ask: (b, src) => b.udp({ src, dst: 53, payload: 'odd' }),
    answer: (b, dst) => b.udp({ src: 5353, dst, payload: 'odd' }),
  },
  {
    name: 'SCTP',
    ask: (b, src) => b.sctp({ src, dst: 70, chunk: 'init', payload: 'odd' }),
    answer: (b, dst) => b.sctp({ src: 7000, dst, chunk: 'initAck', payload: 'odd' }),
  },
  {
    name: 'echo',
    ask: (b, id) => b.icmpEcho({ id, payload: 'odd' }),
    answer: (b, id) => b.icmpEcho({ reply: true, id, payload: 'odd' }),
  },
];

for (const family of FAMILIES) {
  const { name, service, client, other, pod, own } = family;
  for (const { name: protocol, ask, answer } of EXCHANGES) {
    contract(`${protocol} is masqueraded, and back, ${name}`, async (rig) => {
      const { t } = rig;
      await masquerade(rig, family);
      const first = rig.one(0, 1, ask(fromClient(service), 40_000).build());
      t.like(first.ip, { src: own[1], dst: pod });
      t.is(portOf(first), 40_000, "the client's port is kept where it is free");
      // Another client with the same port needs another one.
      const second = rig.one(0, 1, ask(fromClient(service, { src: other }), 40_000).build());
      t.like(second.ip, { src: own[1], dst: pod });
      const port = portOf(second);
      t.not(port, 40_000);
      t.true(port >= 1_024);
      t.is(rig.counter('masqueraded'), 2);

      const back = rig.read(
        1,
        0,
        answer(fromPod(own[1]), 40_000).build(),
        answer(fromPod(own[1]), port).build(),
      );
      t.deepEqual(
        back.map(({ ip }) => [ip?.src, ip?.dst]),
        [
          [service, client],
          [service, other],
        ],
      );
      for (const { udp, tcp, sctp, icmp } of back) {
        t.is(udp?.dst ?? tcp?.dst ?? sctp?.dst ?? icmp?.id, 40_000);
      }
    });
  }

  contract(`a flow record says what the endpoint sees, ${name}`, async (rig) => {
    await masquerade(rig, family);
    rig.one(0, 1, udp(500, 'x', service));
    const flow = await rig.flow();
    rig.t.is(addressText(flow.source), own[1]);
    rig.t.true(flow.sourcePort >= 1_024, 'a port below snatPortMin is not kept');
    rig.t.is(flow.clientPort, 500);
  });

  contract(
    `a port outside of the range is not kept, ${name}`,
    async (rig) => {
      await masquerade(rig, family);
      const ports = [5_000, 5_003, 4_999, 5_004].map((port) =>
        portOf(rig.one(0, 1, udp(port, 'x', service))),
      );
      rig.t.deepEqual(ports.slice(0, 2), [5_000, 5_003]);
      rig.t.deepEqual(ports.slice(2).toSorted(), [5_001, 5_002]);
    },
    { snatPortMin: 5_000, snatPortMax: 5_003 },
  );

  contract(`hairpin: an endpoint reaches itself through its service, ${name}`, async (rig) => {
    const { t } = rig;
    const out = rig.one(1, 1, fromPod(service).tcp({ src: 900, dst: 80, flags: 'S' }).build());
    t.like(out.ip, { src: own[1], dst: pod });
    t.like(out.tcp, { dst: 8080 });
    t.is(rig.counter('masqueraded'), 1);
    const port = out.tcp?.src ?? 0;
    const answer = fromPod(own[1]).tcp({ src: 8080, dst: port, flags: 'SA' });
    const back = rig.one(1, 1, answer.build());
    t.like(back.ip, { src: service, dst: pod });
    t.like(back.tcp, { src: 80, dst: 900, flags: 'SA' });
  });

  contract(`two services with one backend, from one client port, ${name}`, async (rig) => {
    const { t } = rig;
    const frontend = `${family.at(family.podAt(99), 53)}/udp`;
    await rig.commit({
      frontends: [{ at: frontend, slot: 40, pool: FIRST[name] + OF.udp, kind: 'external' }],
    });
    t.is(rig.one(0, 1, udp(40_000, 'x', service)).udp?.src, 40_000);
    const second = rig.one(0, 1, udp(40_000, 'x', family.podAt(99)));
    // Without masquerade the source stays, but its port has to make way.
    t.is(second.ip?.src, client);
    const port = second.udp?.src ?? 0;
    t.not(port, 40_000);
    const reply = fromPod(client).udp({ src: 5353, dst: port, payload: 'x' }).build();
    const back = rig.one(1, 0, reply);
    t.like(back.udp, { dst: 40_000 });
    t.is(back.ip?.src, family.podAt(99));
    t.is(rig.counter('masqueraded'), 0);
  });

  contract(
    `the address that shares the link with the next hop masquerades, ${name}`,
    async (rig) => {
      const { t } = rig;
      const first = FIRST[name] + OF.udp;
      await masquerade(rig, family);
      const to = async (backend: string) => {
        await rig.commit({
          pools: [{ slot: first, backends: [{ slot: 50, at: family.at(backend, 5353) }] }],
        });
        return rig.one(0, 1, udp(40_000, 'x', service)).ip?.src;
      };
      await rig.commit({
        routes: [
          { to: name === 'IPv4' ? '10.2.0.0/16' : 'fd02::/64', over: 1, mac: NET.pod.mac },
          {
            to: name === 'IPv4' ? '10.8.0.0/16' : 'fd08::/64',
            over: 1,
            via: name === 'IPv4' ? '10.2.0.7' : 'fd02::7',
            mac: NET.pod.mac,
          },
          {
            to: name === 'IPv4' ? '10.7.0.0/16' : 'fd07::/64',
            over: 1,
            mac: NET.pod.mac,
          },
        ],
      });
      const second = name === 'IPv4' ? '10.2.0.1' : 'fd02::1';
      t.is(await to(family.hop), second);
      t.is(await to(name === 'IPv4' ? '10.8.0.9' : 'fd08::9'), second, 'by the gateway');
      t.is(await to(name === 'IPv4' ? '10.7.0.9' : 'fd07::9'), own[1], 'else the first one');
    },
  );

  contract(
    `an address of the node masquerades where the interface has none, ${name}`,
    async (rig) => {
      const { t } = rig;
      await masquerade(rig, family);
      const ours = name === 'IPv4' ? '192.0.2.1/32' : '2001:db8::1/128';
      await rig.commit({
        addresses: [
          { on: 'node', address: name === 'IPv4' ? 'fe80::1/64' : '192.0.2.9/32' },
          { on: 1, address: 'fe80::2/64' },
          { on: 0, address: '10.0.0.1/24' },
          { on: 0, address: 'fd00::1/64' },
          { on: 'node', address: ours },
        ],
      });
      const out = rig.one(0, 1, udp(40_000, 'x', service));
      t.is(out.ip?.src, ours.split('/')[0]);
    },
  );

  contract(
    `an expired reply makes way for another client's, ${name}`,
    async (rig) => {
      const { t } = rig;
      await masquerade(rig, family);
      rig.one(0, 1, udp(5_000, 'x', service));
      rig.send(0, fromClient(service, { src: other }).udp({ src: 5_000, dst: 53 }).build());
      rig.step(31_000);
      t.is(rig.receive(1).length, 1);
      t.is(rig.counter('flowsExpired'), 1);
      t.deepEqual(rig.drops(), {});
    },
    { snatPortMin: 5_000, snatPortMax: 5_000 },
  );
}

for (const family of FAMILIES) {
  const clients = 2_000;
  contract(
    `${clients} clients share an endpoint and an address until the ports are gone, ${family.name}`,
    async (rig) => {
      const { t } = rig;
      await masquerade(rig, family);
      const range = rig.engine.options.snatPortMax - rig.engine.options.snatPortMin + 1;
      const tuples = new Set<number>();
      // All from one port, which only the first of them can keep.
      for (let n = 0; n < clients; n += 50) {
        const frames = Array.from({ length: 50 }, (_, i) => clientSyn(family, n + i));
        for (const frame of rig.read(0, 1, ...frames)) tuples.add(frame.tcp?.src ?? 0);
      }
      const refused = rig.drops()['snat_ports_exhausted'] ?? 0;
      t.is(tuples.size, rig.counter('flowsCreated'), 'no port is given twice');
      t.is(tuples.size + refused, clients);
      t.true(tuples.size <= range);
      // 512 tries miss the last free ports of 1,000 now and then, but not many of them.
      t.true(tuples.size >= range * 0.99, `${tuples.size} of ${range} ports`);
      t.deepEqual(Object.keys(rig.drops()), ['snat_ports_exhausted']);
    },
    { flows: 4_096, flows6: 4_096, snatPortMin: 30_000, snatPortMax: 30_999 },
  );

  contract(
    `5,000 connections from one client keep their ports, ${family.name}`,
    async (rig) => {
      const { t } = rig;
      await masquerade(rig, family);
      for (let n = 0; n < 5_000; n += 50) {
        const ports = Array.from({ length: 50 }, (_, i) => 20_000 + n + i);
        const out = rig.read(0, 1, ...ports.map((port) => tcp('S', port, family.service)));
        t.deepEqual(
          out.map((frame) => frame.tcp?.src),
          ports,
        );
      }
      t.deepEqual(rig.drops(), {});
    },
    { flows: 8_192, flows6: 8_192 },
  );
}

function clientSyn({ name, service }: Family, n: number): Uint8Array {
  const src =
    name === 'IPv4' ? `10.0.${1 + (n >> 8)}.${n & 255}` : `fd00::${(n + 0x1000).toString(16)}`;
  return packet()
    .eth({ src: NET.client.mac, dst: NET.us[0] })
    .ip({ src, dst: service })
    .tcp({ src: 30_500, dst: 80, flags: 'S' })
    .build();
}
