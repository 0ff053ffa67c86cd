// SPDX-License-Identifier: Apache-2.0
import { away, CHANGES, type Change, here, service } from './changes.js';
import { inCluster, NETS } from './cluster.js';
import { Connection } from './connection.js';

/** What becomes of connections when their service, endpoint or policy changes. */

for (const net of NETS) {
  const backendsOf = (places: Change['before']) =>
    places.map((place) => (place === 'here' ? here(net) : away(net)));

  for (const { title, before, after, young, serving } of CHANGES) {
    for (const protocol of ['tcp', 'sctp', 'udp'] as const) {
      const stays = serving || protocol !== 'udp';
      inCluster(
        `${title}: ${protocol} ${stays ? 'stays' : 'goes'}, ${net.name}`,
        async (cluster) => {
          const { t } = cluster.rig;
          await cluster.services(service(net, backendsOf(before)));
          const old = new Connection(cluster, net, protocol);
          t.is(old.answer(), net.cluster(1));
          await cluster.apply(after(net));
          const ask = { from: 'pod', to: net.cluster(1), port: 80, protocol } as const;
          t.is(cluster.verdict(ask, 2), young(net));
          if (stays) {
            t.is(old.say(), old.endpoint);
            t.is(old.answer(), net.cluster(1));
            t.is(cluster.rig.counter('flowsCleared'), 0);
            return;
          }
          cluster.rig.sweep();
          t.is(cluster.rig.counter('flowsCleared'), 1, 'swept, whoever sends or does not');
          t.is(old.answer(), old.endpoint, 'nobody knows it as an answer any more');
          t.not(old.say(), old.endpoint);
        },
      );
    }
  }

  inCluster(
    `a stale UDP flow moves with its next packet, before any sweep, ${net.name}`,
    async (cluster) => {
      const { t } = cluster.rig;
      await cluster.services(service(net, [here(net)]));
      const old = new Connection(cluster, net, 'udp');
      await cluster.services(service(net, [away(net)]));
      t.is(old.say(), net.remote(1));
      t.is(cluster.rig.counter('flowsCleared'), 1);
      t.is(cluster.rig.counter('flowsCreated'), 2);
    },
  );

  inCluster(
    `UDP that was refused reaches the first endpoint that comes, ${net.name}`,
    async (cluster) => {
      const { t } = cluster.rig;
      const ask = {
        from: 'pod',
        to: net.cluster(1),
        port: 80,
        protocol: 'udp',
        sourcePort: 7,
      } as const;
      await cluster.services(service(net, []));
      t.is(cluster.verdict(ask, 3), 'REJECT');
      await cluster.services(service(net, [{ ...here(net), ready: false }]));
      t.is(cluster.verdict(ask, 3), 'REJECT');
      await cluster.services(service(net, [here(net)]));
      t.is(cluster.verdict(ask, 3), net.local(1));
    },
  );

  inCluster(
    `UDP that passed by before there was a service is served at once, ${net.name}`,
    async (cluster) => {
      const { t } = cluster.rig;
      const ask = {
        from: 'pod',
        to: net.cluster(1),
        port: 80,
        protocol: 'udp',
        sourcePort: 7,
      } as const;
      t.is(cluster.verdict(ask, 3), 'PASS');
      await cluster.services(service(net, [here(net)]));
      t.is(cluster.verdict(ask, 3), net.local(1));
    },
  );

  inCluster(
    `flushing cuts connections, and new ones go elsewhere, ${net.name}`,
    async (cluster) => {
      const { t } = cluster.rig;
      await cluster.services(service(net, [here(net)]));
      const tcp = new Connection(cluster, net, 'tcp');
      const sctp = new Connection(cluster, net, 'sctp');
      const udp = new Connection(cluster, net, 'udp');
      const silent = new Connection(cluster, net, 'tcp', 10_001);
      await cluster.services(service(net, [{ ...here(net), flush: true }, away(net)]));
      t.is(tcp.say(), 'refused');
      t.is(sctp.say(), 'refused');
      t.is(silent.answer(), '', 'the endpoint is not told');
      t.is(udp.say(), net.remote(1), 'a datagram begins anew');
      t.is(cluster.rig.counter('flowsCleared'), 4);
      t.is(cluster.rig.drops()['backend_flushed'], 3);
      // The client begins again, on the same port.
      t.is(tcp.say(true), net.remote(1));
      t.is(sctp.say(true), net.remote(1));
    },
  );

  inCluster(`an endpoint that comes back keeps what it had, ${net.name}`, async (cluster) => {
    const { t } = cluster.rig;
    await cluster.services(service(net, [here(net)]));
    const old = new Connection(cluster, net, 'tcp');
    await cluster.services(service(net, []));
    t.is(old.say(), net.local(1));
    await cluster.services(service(net, [away(net), here(net)]));
    t.is(old.say(), net.local(1));
    t.is(old.answer(), net.cluster(1));
  });

  inCluster(
    `a SYN on the tuple of a connection whose endpoint is gone begins anew, ${net.name}`,
    async (cluster) => {
      const { t } = cluster.rig;
      await cluster.services(service(net, [here(net)]));
      const old = new Connection(cluster, net, 'tcp');
      await cluster.services(service(net, [away(net)]));
      t.is(old.say(true), net.remote(1));
      t.is(cluster.rig.counter('flowsCleared'), 1);
    },
  );

  inCluster(
    `another endpoint in the place of one that went is not taken for it, ${net.name}`,
    async (cluster) => {
      const { t } = cluster.rig;
      await cluster.services(service(net, [here(net)]));
      const tcp = new Connection(cluster, net, 'tcp');
      const udp = new Connection(cluster, net, 'udp');
      const slots = new Set(
        (await cluster.rig.engine.flows(10)).map(({ backendSlot }) => backendSlot),
      );
      await cluster.services();
      await cluster.services(service(net, [away(net)]));
      const young = new Connection(cluster, net, 'tcp', 10_007);
      t.is(young.endpoint, net.remote(1));
      const again = (await cluster.rig.engine.flows(10)).find(
        ({ clientPort }) => clientPort === 10_007,
      );
      t.true(slots.has(again?.backendSlot ?? -1), 'the slot is used again, or this proves nothing');
      t.is(tcp.say(), net.local(1));
      t.is(udp.say(), net.remote(1));
      t.deepEqual(cluster.rig.drops(), {});
    },
  );

  inCluster(`weights decide on shares, ${net.name}`, async (cluster) => {
    const { t } = cluster.rig;
    await cluster.services(
      service(net, [
        { ...here(net), weight: 3 },
        { ...away(net), weight: 1 },
      ]),
    );
    let local = 0;
    for (let n = 0; n < 400; n++) {
      const to = cluster.endpoint({ from: 'pod', to: net.cluster(1), port: 80 });
      if (to === net.local(1)) local++;
    }
    t.true(local > 260 && local < 340, `${local} of 400`);
  });

  inCluster(
    `a service port that is renumbered keeps its connections, ${net.name}`,
    async (cluster) => {
      const { t } = cluster.rig;
      await cluster.services(service(net, [here(net)]));
      const old = new Connection(cluster, net, 'tcp');
      const { ports, ...rest } = service(net, [here(net)]);
      await cluster.services({ ...rest, ports: ports.map((port) => ({ ...port, port: 81 })) });
      t.is(old.say(), net.local(1));
      t.is(cluster.verdict({ from: 'pod', to: net.cluster(1), port: 80 }, 2), 'REJECT');
      t.is(cluster.verdict({ from: 'pod', to: net.cluster(1), port: 81 }, 2), net.local(1));
    },
  );
}
