// SPDX-License-Identifier: Apache-2.0
import { read } from '../support/packets.js';
import type { HopLiteral } from '../support/program.js';
import { FAMILIES, type Family, FIRST, fromClient, memory, NET, OF, udp } from './net.js';
import { contract, type Rig } from './rig.js';

/** Interfaces 2 to 4 lead to routers whose MACs are known, with addresses of ours towards them. */
const WAYS = [2, 3, 4] as const;
const router = (over: number) => `02:00:00:00:02:0${over}`;
const networkOf = ({ name }: Family, over: number) =>
  name === 'IPv4' ? `10.2${over}.0` : `fd2${over}:`;
const gateway = (family: Family, over: number) => `${networkOf(family, over)}${dot(family)}9`;
const own = (family: Family, over: number) => `${networkOf(family, over)}${dot(family)}1`;
const dot = ({ name }: Family) => (name === 'IPv4' ? '.' : ':');
const everything = ({ name }: Family) => (name === 'IPv4' ? '0.0.0.0/0' : '::/0');
const far = ({ name }: Family) => (name === 'IPv4' ? '192.0.2.77' : '2001:db8::77');

const GROUP = 3;
const FLOWS = 64;

function hop(family: Family, over: number, more: Partial<HopLiteral> = {}): HopLiteral {
  return { over, via: gateway(family, over), mac: router(over), key: over * 7_919, ...more };
}

async function addWays(rig: Rig, family: Family): Promise<void> {
  for (const over of WAYS) await rig.engine.addInterface(memory(over));
  const length = family.name === 'IPv4' ? 24 : 64;
  await rig.commit({
    groups: [{ slot: GROUP, hops: WAYS.map((over) => hop(family, over)) }],
    routes: [{ to: everything(family), group: GROUP }],
    addresses: [
      { on: 0, address: `${family.own[0]}/${length}` },
      ...WAYS.map((on) => ({ on, address: `${own(family, on)}/${length}` })),
    ],
  });
}

const probe = (family: Family, n: number) =>
  fromClient(far(family))
    .udp({ src: 1_000 + n, dst: 9, payload: 'x' })
    .build();

/** The interface that each flow leaves by, by its number. */
function waysOf(
  rig: Rig,
  frames: readonly Uint8Array[],
  present: readonly number[] = WAYS,
): number[] {
  rig.send(0, ...frames);
  rig.step();
  const ways = new Map<number, number>();
  for (const over of present) {
    for (const frame of rig.receive(over)) {
      const { eth, udp: l4 } = read(frame);
      rig.t.is(eth.dst, router(over));
      ways.set((l4?.src ?? 0) - 1_000, over);
    }
  }
  return frames.map((_, n) => ways.get(n) ?? -1);
}

for (const family of FAMILIES) {
  const { name, service } = family;
  const probes = Array.from({ length: FLOWS }, (_, n) => probe(family, n));
  const asks = Array.from({ length: FLOWS }, (_, n) => udp(1_000 + n, 'x', service));

  contract(
    `flows are spread over a group's next hops, and each keeps to its own, ${name}`,
    async (rig) => {
      const { t } = rig;
      await addWays(rig, family);
      const ways = waysOf(rig, probes);
      for (const over of WAYS) t.true(ways.filter((way) => way === over).length >= 10, `${ways}`);
      t.deepEqual(waysOf(rig, probes), ways);
    },
  );

  contract(
    `the order of the next hops does not matter, their weight does, ${name}`,
    async (rig) => {
      const { t } = rig;
      await addWays(rig, family);
      const ways = waysOf(rig, probes);
      await rig.commit({
        groups: [{ slot: GROUP, hops: [4, 2, 3].map((over) => hop(family, over)) }],
      });
      t.deepEqual(waysOf(rig, probes), ways);
      await rig.commit({
        groups: [
          {
            slot: GROUP,
            hops: [hop(family, 2, { weight: 14 }), hop(family, 3), hop(family, 4)],
          },
        ],
      });
      const heavy = waysOf(rig, probes);
      t.true(heavy.filter((way) => way === 2).length > 48, `${heavy}`);
      // Who was there already gives, and gets nothing from another.
      t.true(heavy.every((way, n) => way === 2 || way === ways[n]));
    },
  );

  contract(
    `only the flows of a next hop that goes move, and come back with it, ${name}`,
    async (rig) => {
      const { t } = rig;
      await addWays(rig, family);
      const ways = waysOf(rig, probes);
      await rig.commit({
        groups: [{ slot: GROUP, hops: [2, 4].map((over) => hop(family, over)) }],
      });
      const without3 = waysOf(rig, probes);
      t.false(without3.includes(3));
      t.true(ways.every((way, n) => way === 3 || way === without3[n]));
      await rig.commit({ groups: [{ slot: GROUP, hops: WAYS.map((over) => hop(family, over)) }] });
      t.deepEqual(waysOf(rig, probes), ways);
      // So it is where its link goes down, and where its interface is removed.
      await rig.engine.setLink(3, false);
      t.deepEqual(waysOf(rig, probes), without3);
      await rig.engine.setLink(3, true);
      t.deepEqual(waysOf(rig, probes), ways);
      await rig.engine.removeInterface(3);
      t.deepEqual(waysOf(rig, probes, [2, 4]), without3);
      t.is(rig.engine.occupancy().routes, 9);
    },
  );

  contract(
    `flows of a service come back when their link does, without a commit, ${name}`,
    async (rig) => {
      const { t } = rig;
      await addWays(rig, family);
      // The backend is behind the routers.
      await rig.commit({
        backends: [{ slot: FIRST[name] + OF.udp, at: family.at(far(family), 5353), service: 77 }],
        pools: [{ slot: FIRST[name] + OF.udp, members: [{ backend: FIRST[name] + OF.udp }] }],
      });
      const ways = waysOf(rig, asks);
      t.deepEqual(waysOf(rig, asks), ways);
      await rig.engine.setLink(4, false);
      for (let pass = 0; pass < 2; pass++) {
        const meanwhile = waysOf(rig, asks);
        t.false(meanwhile.includes(4));
        t.true(ways.every((way, n) => way === 4 || way === meanwhile[n]));
      }
      await rig.engine.setLink(4, true);
      t.deepEqual(waysOf(rig, asks), ways);
      t.is(rig.counter('flowsCreated'), FLOWS);
    },
  );

  contract(`a new flow is masqueraded by the way that it takes, ${name}`, async (rig) => {
    const { t } = rig;
    await addWays(rig, family);
    await rig.commit({
      frontends: [
        {
          at: `${family.at(service, 53)}/udp`,
          slot: FIRST[name] + OF.udp,
          pool: FIRST[name] + OF.udp,
          masquerade: 'pod,node,outside',
        },
      ],
      backends: [{ slot: FIRST[name] + OF.udp, at: family.at(far(family), 5353), service: 77 }],
      pools: [{ slot: FIRST[name] + OF.udp, members: [{ backend: FIRST[name] + OF.udp }] }],
    });
    await rig.engine.setLink(2, false);
    rig.send(0, ...asks);
    rig.step();
    t.deepEqual(rig.receive(2), []);
    for (const over of [3, 4]) {
      const out = rig.receive(over).map((frame) => read(frame).ip?.src);
      t.true(out.length > 10);
      t.deepEqual(new Set(out), new Set([own(family, over)]));
    }
  });

  contract(`where no next hop is left the sender is told, ${name}`, async (rig) => {
    const { t } = rig;
    await addWays(rig, family);
    for (const over of WAYS) await rig.engine.setLink(over, false);
    const [told] = rig.read(0, 0, probe(family, 1));
    t.like(told.icmp, name === 'IPv4' ? { type: 3, code: 1 } : { type: 1, code: 3 });
    t.deepEqual(rig.drops(), { interface_down: 1 });
    for (const over of WAYS) await rig.engine.removeInterface(over);
    t.is(rig.engine.occupancy().routes, 8);
    const [unreachable] = rig.read(0, 0, probe(family, 1));
    t.like(unreachable.icmp, name === 'IPv4' ? { type: 3, code: 0 } : { type: 1, code: 0 });
    t.deepEqual(rig.drops(), { interface_down: 1, no_route: 1 });
  });

  contract(`explain names the next hop that is taken, a detour too, ${name}`, async (rig) => {
    const { t } = rig;
    await addWays(rig, family);
    const chosen = async () => (await rig.engine.explain(0, probe(family, 5))).route?.interface;
    const usual = await chosen();
    rig.send(0, probe(family, 5));
    rig.step();
    t.is(rig.receive(usual ?? -1).length, 1);
    await rig.engine.setLink(usual ?? -1, false);
    const detour = await chosen();
    t.not(detour, usual);
    rig.send(0, probe(family, 5));
    rig.step();
    t.is(rig.receive(detour ?? -1).length, 1);
  });

  contract(
    `a group may be of all routes, of both families where it has no gateway, ${name}`,
    async (rig) => {
      const { t } = rig;
      const to = name === 'IPv4' ? ['10.30.0.0/16', 'fd30::/64'] : ['fd31::/64', '10.31.0.0/16'];
      await rig.commit({
        groups: [{ slot: GROUP, hops: [{ over: 1, mac: NET.pod.mac }] }],
        routes: to.map((prefix) => ({ to: prefix, group: GROUP })),
      });
      const v4 = to.find((prefix) => prefix.includes('.'))?.split('.')[1];
      t.is(rig.pass(0, 1, fromClient(`10.${v4}.0.1`).udp({ src: 1, dst: 2 }).build()).length, 1);
      t.is(rig.pass(0, 1, fromClient(`fd${v4}::1`).udp({ src: 1, dst: 2 }).build()).length, 1);
      // Both go another way at once.
      await rig.commit({ groups: [{ slot: GROUP, hops: [{ over: 0, mac: NET.client.mac }] }] });
      t.is(rig.pass(0, 0, fromClient(`10.${v4}.0.1`).udp({ src: 1, dst: 2 }).build()).length, 1);
      t.is(rig.pass(0, 0, fromClient(`fd${v4}::1`).udp({ src: 1, dst: 2 }).build()).length, 1);
    },
  );

  contract(`ICMP errors of a flow go by their own five-tuple, ${name}`, async (rig) => {
    const { t } = rig;
    await addWays(rig, family);
    const errors = Array.from({ length: 32 }, (_, n) =>
      fromClient(name === 'IPv4' ? `192.0.2.${n + 1}` : `2001:db8::${n + 1}`)
        .icmpError({ type: name === 'IPv4' ? 3 : 1, quoting: probe(family, n) })
        .build(),
    );
    const pass = () => {
      rig.send(0, ...errors);
      rig.step();
      return WAYS.map((over) => rig.receive(over).map((frame) => read(frame).ip?.dst));
    };
    const first = pass();
    t.true(first.every((out) => out.length > 2));
    t.deepEqual(pass(), first);
  });
}
