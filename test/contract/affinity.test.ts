// SPDX-License-Identifier: Apache-2.0
import type { FrontendLiteral, PoolLiteral, ProgramLiteral } from '../support/program.js';
import { service } from './changes.js';
import { inCluster, NETS } from './cluster.js';
import { FAMILIES, type Family, fromClient } from './net.js';
import { contract, type Rig } from './rig.js';

const SECONDS = 100;
const COUNT = 5;

/** Slots of the backends that serve port 80. */
const backends = ({ at, podAt }: Family) =>
  Array.from({ length: COUNT }, (_, n) => ({ slot: 50 + n, at: at(podAt(100 + n), 8080) }));

const pool = (family: Family): PoolLiteral => ({ slot: 50, backends: backends(family) });

/** Cluster address, external address and node port of one service port; and another service port. */
function frontends({ at, podAt }: Family, affinity: number): FrontendLiteral[] {
  const common = { pool: 50, affinity };
  return [
    { at: `${at(podAt(30), 80)}/tcp`, slot: 50, service: 500, ...common },
    { at: `${at(podAt(31), 80)}/tcp`, slot: 51, service: 500, kind: 'external', ...common },
    { at: `${at(podAt(32), 30_080)}/tcp`, slot: 52, service: 500, kind: 'nodePort', ...common },
    { at: `${at(podAt(30), 81)}/tcp`, slot: 53, service: 501, ...common },
    { at: `${at(podAt(30), 80)}/udp`, slot: 54, service: 502, ...common },
  ];
}

const program = (family: Family, affinity = SECONDS): ProgramLiteral => ({
  frontends: frontends(family, affinity),
  pools: [pool(family)],
});

let nextPort = 1_024;

/** The backend, by its place in the pool, that a new connection of `client` gets. */
function ask(rig: Rig, family: Family, client: string, to = family.podAt(30), port = 80): number {
  nextPort = nextPort === 60_000 ? 1_024 : nextPort + 1;
  const syn = { src: nextPort, dst: port, flags: 'S' };
  const out = rig.one(0, 1, fromClient(to, { src: client }).tcp(syn).build());
  return Array.from({ length: COUNT }, (_, n) => family.podAt(100 + n)).indexOf(out.ip?.dst ?? '');
}

const many = Array.from({ length: 16 });

for (const family of FAMILIES) {
  const { name, client, other, podAt } = family;

  contract(`a client stays with its backend, ${name}`, async (rig) => {
    const { t } = rig;
    await rig.commit(program(family));
    const first = ask(rig, family, client);
    for (const _ of many) t.is(ask(rig, family, client), first);
    t.is(rig.counter('affinityHits'), many.length);
    t.is(rig.connections(50 + first), many.length + 1);
    t.is(rig.engine.occupancy().affinities, 1);
  });

  contract(`whatever address of the service port it asks, ${name}`, async (rig) => {
    const { t } = rig;
    await rig.commit(program(family));
    const first = ask(rig, family, client);
    for (const _ of many) {
      t.is(ask(rig, family, client, podAt(31)), first);
      t.is(ask(rig, family, client, podAt(32), 30_080), first);
    }
  });

  contract(`other ports of the service are other services, ${name}`, async (rig) => {
    const { t } = rig;
    await rig.commit(program(family));
    const places = new Set<string>();
    for (let n = 0; n < 40; n++) {
      const src = name === 'IPv4' ? `10.0.0.${100 + n}` : `fd00::1${n}`;
      places.add(`${ask(rig, family, src)} ${ask(rig, family, src, podAt(30), 81)}`);
    }
    t.true(places.size > COUNT, 'the two choices are independent');
    t.is(rig.engine.occupancy().affinities, 80);
  });

  contract(`clients are spread, ${name}`, async (rig) => {
    const { t } = rig;
    await rig.commit(program(family));
    const seen = new Set<number>();
    for (let n = 0; n < 60; n++) {
      seen.add(ask(rig, family, name === 'IPv4' ? `10.0.0.${100 + n}` : `fd00::1${n}`));
    }
    t.is(seen.size, COUNT);
    t.is(rig.counter('affinityHits'), 0);
  });

  contract(`without affinity a client is spread too, ${name}`, async (rig) => {
    const { t } = rig;
    await rig.commit(program(family, 0));
    t.is(new Set(many.concat(many, many).map(() => ask(rig, family, client))).size, COUNT);
    t.is(rig.engine.occupancy().affinities, 0);
  });

  contract(`memory runs out, and new connections prolong it, ${name}`, async (rig) => {
    const { t } = rig;
    await rig.commit(program(family));
    const first = ask(rig, family, client);
    for (let n = 0; n < 8; n++) {
      rig.wait(SECONDS - 1);
      t.is(ask(rig, family, client), first);
    }
    t.is(rig.counter('affinityHits'), 8);
    rig.wait(SECONDS);
    ask(rig, family, client);
    t.is(rig.counter('affinityHits'), 8);
  });

  contract(`packets of a connection do not prolong it, ${name}`, async (rig) => {
    const { t } = rig;
    await rig.commit(program(family));
    const frame = fromClient(podAt(30)).tcp({ src: 9, dst: 80, flags: 'S' }).build();
    rig.one(0, 1, frame);
    rig.wait(SECONDS / 2);
    rig.one(0, 1, frame);
    rig.wait(SECONDS / 2);
    ask(rig, family, client);
    t.is(rig.counter('affinityHits'), 0);
  });

  contract(`what has run out is swept, ${name}`, async (rig) => {
    const { t } = rig;
    await rig.commit(program(family));
    ask(rig, family, client);
    ask(rig, family, other);
    rig.wait(SECONDS, rig.sweepMs + 1);
    rig.sweep();
    t.is(rig.engine.occupancy().affinities, 2);
    rig.step(1);
    rig.sweep();
    t.is(rig.engine.occupancy().affinities, 0);
  });

  const gone: readonly [title: string, change: (first: number) => ProgramLiteral][] = [
    [
      'removed',
      (first) => ({
        pools: [{ slot: 50, backends: backends(family).filter((_, n) => n !== first) }],
        removedBackends: [50 + first],
      }),
    ],
    [
      'no member any more',
      (first) => ({
        pools: [{ slot: 50, backends: backends(family).filter((_, n) => n !== first) }],
      }),
    ],
    [
      'drained',
      (first) => ({
        pools: [
          {
            slot: 50,
            backends: backends(family).map((row, n) => ({ ...row, weight: n === first ? 0 : 1 })),
          },
        ],
      }),
    ],
  ];
  for (const [title, change] of gone) {
    contract(`a backend that is ${title} is chosen anew, and remembered, ${name}`, async (rig) => {
      const { t } = rig;
      await rig.commit(program(family));
      const first = ask(rig, family, client);
      await rig.commit(change(first));
      const second = ask(rig, family, client);
      t.not(second, first);
      for (const _ of many) t.is(ask(rig, family, client), second);
      // It comes back: the new memory holds.
      await rig.commit({ pools: [pool(family)] });
      t.is(ask(rig, family, client), second);
    });
  }

  contract(`a slot that another backend has got is another backend, ${name}`, async (rig) => {
    const { t } = rig;
    await rig.commit(program(family));
    const first = ask(rig, family, client);
    t.is(ask(rig, family, client), first);
    const hits = rig.counter('affinityHits');
    const swapped = backends(family).map((row, n) =>
      n === first ? { ...row, at: family.at(podAt(100 + first), 8081) } : row,
    );
    await rig.commit({ pools: [{ slot: 50, backends: swapped }] });
    ask(rig, family, client);
    t.is(rig.counter('affinityHits'), hits);
  });

  contract(`memory counts in the pool of the scope only, ${name}`, async (rig) => {
    const { t } = rig;
    await rig.commit(program(family));
    const first = ask(rig, family, client);
    const local = (first + 1) % COUNT;
    await rig.commit({
      frontends: [
        {
          at: `${family.at(podAt(31), 80)}/tcp`,
          slot: 51,
          service: 500,
          kind: 'external',
          affinity: SECONDS,
          pools: { pod: 50, node: 50, outside: 51 },
        },
      ],
      pools: [{ slot: 51, members: [{ backend: 50 + local }] }],
    });
    t.is(ask(rig, family, client), first);
    t.is(ask(rig, family, client, podAt(31)), local);
    // Overwritten, and still a member of the other pool.
    t.is(ask(rig, family, client), local);
  });

  contract(`affinity is switched on and off for new connections, ${name}`, async (rig) => {
    const { t } = rig;
    await rig.commit(program(family));
    const old = fromClient(podAt(30)).tcp({ src: 9, dst: 80, flags: 'S' }).build();
    const endpoint = rig.one(0, 1, old).ip?.dst;
    await rig.commit({ frontends: frontends(family, 0) });
    t.is(new Set(many.concat(many, many).map(() => ask(rig, family, client))).size, COUNT);
    t.is(rig.one(0, 1, old).ip?.dst, endpoint, 'connections go on');
    await rig.commit({ frontends: frontends(family, SECONDS) });
    const first = ask(rig, family, client);
    for (const _ of many) t.is(ask(rig, family, client), first);
    t.is(rig.one(0, 1, old).ip?.dst, endpoint);
  });

  contract(`a longer time holds from the next connection on, ${name}`, async (rig) => {
    const { t } = rig;
    await rig.commit(program(family, 10));
    ask(rig, family, client);
    await rig.commit({ frontends: frontends(family, 1_000) });
    rig.wait(9);
    ask(rig, family, client);
    t.is(rig.counter('affinityHits'), 1);
    rig.wait(999);
    ask(rig, family, client);
    t.is(rig.counter('affinityHits'), 2);
  });

  contract(
    `a full table forgets who would run out first, ${name}`,
    async (rig) => {
      const { t } = rig;
      await rig.commit(program(family));
      const clients = Array.from({ length: 9 }, (_, n) =>
        name === 'IPv4' ? `10.0.0.${100 + n}` : `fd00::1${n}`,
      );
      for (const src of clients) {
        ask(rig, family, src);
        rig.wait(1);
      }
      t.is(rig.engine.occupancy().affinities, 8);
      for (const src of clients.slice(1)) ask(rig, family, src);
      t.is(rig.counter('affinityHits'), 8);
      ask(rig, family, clients[0]);
      t.is(rig.counter('affinityHits'), 8);
    },
    { affinities: 8 },
  );
}

contract('affinity of a pod is by its own address, masqueraded or not', async (rig) => {
  const { t } = rig;
  const [v4] = FAMILIES;
  const masqueraded = frontends(v4, SECONDS).map((row) => ({ ...row, masquerade: 'outside' }));
  await rig.commit({ frontends: masqueraded, pools: [pool(v4)] });
  const first = ask(rig, v4, v4.client);
  for (const _ of many) t.is(ask(rig, v4, v4.client), first);
  t.is(rig.engine.occupancy().affinities, 1);
  ask(rig, v4, v4.other);
  t.is(rig.engine.occupancy().affinities, 2);
});

for (const net of NETS) {
  inCluster(
    `affinity over cluster address, node port and balancer, ${net.name}`,
    async (cluster) => {
      const { t } = cluster.rig;
      const backends = Array.from({ length: 4 }, (_, n) => ({
        address: net.local(n + 1),
        port: 8080,
        node: 'here',
      }));
      const sticky = service(net, backends, {
        loadBalancer: { addresses: [net.balancer(1)] },
        externalIPs: [net.external(1)],
        affinity: { timeoutSeconds: 60 },
      });
      await cluster.services(sticky);
      const first = cluster.endpoint({ from: 'outside', to: net.cluster(1), port: 80 });
      for (let n = 0; n < 8; n++) {
        for (const to of [net.cluster(1), net.balancer(1), net.external(1)]) {
          t.is(cluster.endpoint({ from: 'outside', to, port: 80 }), first);
        }
        t.is(cluster.endpoint({ from: 'outside', to: net.node, port: 30_001 }), first);
      }
      // Only the endpoints that are left count, and the memory goes with the endpoint.
      await cluster.services({
        ...sticky,
        ports: sticky.ports.map((port) => ({
          ...port,
          backends: backends.filter(({ address }) => address !== first),
        })),
      });
      const second = cluster.endpoint({ from: 'outside', to: net.cluster(1), port: 80 });
      t.not(second, first);
      await cluster.services(sticky);
      t.is(cluster.endpoint({ from: 'outside', to: net.node, port: 30_001 }), second);
    },
  );
}
