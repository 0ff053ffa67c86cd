// SPDX-License-Identifier: Apache-2.0
import {
  advertisement,
  arp,
  fragments,
  linkLocal,
  type PacketBuilder,
  packet,
  solicitation,
} from '../support/packets.js';
import { FAMILIES, fromClient, fromPod, memory, NET, V4, V6 } from './net.js';
import { verdict } from './policing.js';
import { contract, type Rig } from './rig.js';

/** Who may send by which interface. */

const POD = { on: 1, from: V4.pod };
const POD6 = { on: 1, from: V6.pod };
const PODS = { sources: [POD, POD6] };
const HOP = { mac: '02:00:00:00:00:c5', address: V4.hop };

const datagram = (builder: PacketBuilder) => builder.udp({ src: 1, dst: 2, payload: 'x' }).build();

for (const { name, pod, client, podAt, service, own } of FAMILIES) {
  const network = name === 'IPv4' ? '10.1.0.0/24' : 'fd01::/120';
  const outOfIt = name === 'IPv4' ? '10.1.1.0' : 'fd01::100';
  const send = (rig: Rig, src: string, dst = client) =>
    verdict(rig, 1, datagram(fromPod(dst, src)));

  contract(`an interface with sources takes these and no others, ${name}`, async (rig) => {
    const { t } = rig;
    t.is(send(rig, podAt(3)), 'passes');
    await rig.commit(PODS);
    t.is(send(rig, pod), 'passes');
    t.is(send(rig, podAt(3)), 'source_spoofed');
    // By an interface that has none anybody may send.
    t.is(verdict(rig, 0, datagram(fromClient(pod, { src: podAt(9) }))), 'passes');
    await rig.commit({});
    t.is(send(rig, podAt(3)), 'source_spoofed');
    await rig.commit({ sources: [POD, POD6, { on: 1, from: network }] });
    t.is(send(rig, podAt(3)), 'passes');
    t.is(send(rig, outOfIt), 'source_spoofed');
    await rig.commit({ sources: [{ on: 0, from: client }] });
    t.is(send(rig, outOfIt), 'passes');
    await rig.commit({ sources: [] });
    t.is(verdict(rig, 0, datagram(fromClient(pod, { src: podAt(9) }))), 'passes');
  });

  contract(`sources of one family let nobody of the other in, ${name}`, async (rig) => {
    const { t } = rig;
    await rig.commit({ sources: [name === 'IPv4' ? POD6 : POD] });
    t.is(send(rig, pod), 'source_spoofed');
    await rig.commit({ sources: [{ on: 1, from: name === 'IPv4' ? '::/0' : '0.0.0.0/0' }] });
    t.is(send(rig, pod), 'source_spoofed');
    await rig.commit({ sources: [{ on: 1, from: name === 'IPv4' ? '0.0.0.0/0' : '::/0' }] });
    t.is(send(rig, pod), 'passes');
  });

  contract(`sources go with their interface, ${name}`, async (rig) => {
    const { t } = rig;
    await rig.commit(PODS);
    await rig.engine.removeInterface(1);
    await rig.engine.addInterface(memory(1));
    t.is(send(rig, podAt(3)), 'passes');
  });

  contract(
    `a spoofed source reaches neither services nor connections nor us, ${name}`,
    async (rig) => {
      const { t } = rig;
      rig.pass(1, 1, fromPod(service, podAt(3)).udp({ src: 1, dst: 53 }).build());
      t.is(rig.counter('flowsCreated'), 1);
      await rig.commit(PODS);
      const [, later] = fragments(
        fromPod(service, podAt(3))
          .udp({ src: 1, dst: 53, payload: new Uint8Array(64) })
          .build(),
        [24],
      );
      for (const frame of [
        fromPod(service, podAt(3)).udp({ src: 1, dst: 53 }).build(),
        fromPod(own[1], podAt(3)).icmpEcho().build(),
        fromPod(client, podAt(3)).payload(new Uint8Array(8), 47).build(),
        later,
      ]) {
        t.is(verdict(rig, 1, frame), 'source_spoofed');
      }
      t.is(rig.counter('flowsCreated'), 1);
      t.is(rig.counter('held'), 0);
      const explained = await rig.engine.explain(1, datagram(fromPod(client, podAt(3))));
      t.like(explained, { fate: 'drop', reason: 'source_spoofed', tuple: null });
    },
  );

  contract(`what is wrong besides a spoofed source, in order, ${name}`, async (rig) => {
    const { t } = rig;
    await rig.commit(PODS);
    const [loopback, group] = name === 'IPv4' ? ['127.0.0.1', '224.0.0.1'] : ['::1', 'ff02::1'];
    t.is(send(rig, loopback), 'martian_source');
    t.is(send(rig, own[0]), 'martian_source');
    t.is(send(rig, podAt(3), group), 'source_spoofed');
    t.is(send(rig, pod, group), 'martian_destination');
    const short = packet()
      .eth({ src: NET.pod.mac, dst: NET.us[1] })
      .ip({ src: podAt(3), dst: client })
      .payload(new Uint8Array(7), 17);
    t.is(verdict(rig, 1, short.build()), 'source_spoofed');
  });

  contract(
    `our own packets need to be among the sources of their interface, ${name}`,
    async (rig) => {
      const { t } = rig;
      await rig.commit({ ...PODS, scopes: [{ on: 1, scope: 'host' }] });
      t.is(send(rig, own[1]), 'source_spoofed');
      await rig.commit({ sources: [{ on: 1, from: own[1] }] });
      t.is(send(rig, own[1]), 'passes');
    },
  );
}

contract('who sends ARP for another address is neither answered nor learned', async (rig) => {
  const { t } = rig;
  const ask = { operation: 1, senderMac: HOP.mac, sender: HOP.address, target: '10.2.0.1' };
  await rig.commit(PODS);
  t.deepEqual(rig.pass(1, 1, arp(ask)), []);
  const announcement = { ...ask, operation: 2, target: HOP.address };
  t.deepEqual(rig.pass(1, 1, arp(announcement)), []);
  t.deepEqual(rig.drops(), { source_spoofed: 2 });
  t.is(rig.engine.occupancy().neighbours, 0);
  t.like(await rig.engine.explain(1, arp(ask)), { fate: 'drop', reason: 'source_spoofed' });
  // Who looks whether an address is free has none yet.
  t.is(rig.pass(1, 1, arp({ ...ask, sender: '0.0.0.0' })).length, 1);
  await rig.commit({ sources: [{ on: 1, from: HOP.address }] });
  t.is(rig.pass(1, 1, arp(ask)).length, 1);
  t.is(rig.engine.occupancy().neighbours, 1);
});

contract('a neighbour does not move to who has no right to its address', async (rig) => {
  const { t } = rig;
  const told = (mac: string) =>
    arp({ operation: 2, senderMac: mac, sender: HOP.address, target: '10.2.0.1', dst: NET.us[1] });
  rig.pass(0, 1, datagram(fromClient(HOP.address)));
  t.is(rig.pass(1, 1, told(HOP.mac)).length, 1);
  await rig.commit(PODS);
  rig.pass(1, 1, told('02:00:00:00:00:99'));
  t.is(rig.one(0, 1, datagram(fromClient(HOP.address))).eth.dst, HOP.mac);
});

contract('who asks for a neighbour may do so with an address of the link, or none', async (rig) => {
  const { t } = rig;
  await rig.commit(PODS);
  const ask = { mac: NET.pod.mac, target: V6.own[1] };
  const ll = linkLocal(NET.pod.mac);
  t.is(rig.pass(1, 1, solicitation({ ...ask, sender: V6.pod })).length, 1);
  t.is(rig.pass(1, 1, solicitation({ ...ask, sender: ll })).length, 1);
  const free = { ...ask, sender: '::', options: new Uint8Array(0) };
  t.is(rig.pass(1, 1, solicitation(free)).length, 1);
  const before = rig.engine.occupancy().neighbours;
  t.deepEqual(rig.pass(1, 1, solicitation({ ...ask, sender: V6.hop })), []);
  const told = { mac: NET.pod.mac, sender: V6.hop, target: V6.hop, to: V6.own[1], dst: NET.us[1] };
  t.deepEqual(rig.pass(1, 1, advertisement(told)), []);
  t.deepEqual(rig.drops(), { source_spoofed: 2 });
  t.is(rig.engine.occupancy().neighbours, before);
  // Nothing else is of the link.
  t.is(verdict(rig, 1, datagram(fromPod(V6.client, ll))), 'martian_source');
});
