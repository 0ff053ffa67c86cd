// SPDX-License-Identifier: Apache-2.0
import {
  advertisement,
  linkLayerOption,
  linkLocal,
  packet,
  read,
  solicitation,
  solicitedNode,
} from '../support/packets.js';
import { fromClient, memory, NET, tcp, V6 } from './net.js';
import { contract, type Rig } from './rig.js';

const HOP = { mac: '02:00:00:00:00:c5', address: V6.hop };
const OWN = 'fd02::1';

function toHop(n: number, dst: string = HOP.address): Uint8Array {
  return fromClient(dst).udp({ src: n, dst: 7, payload: 'x' }).build();
}

function reply(target: string = HOP.address, mac: string = HOP.mac): Uint8Array {
  return advertisement({ mac, sender: target, target, to: OWN, dst: NET.us[1] });
}

function request(target: string, sender = OWN): Uint8Array {
  return solicitation({ mac: NET.us[1], sender, target });
}

/** What came out of the pods' interface, as requests' targets and other packets' ports. */
function outcome(rig: Rig): (string | number)[] {
  return rig
    .receive(1)
    .map(read)
    .map((frame) => frame.nd?.target ?? frame.udp?.src ?? -1);
}

contract('a solicitation for our address is answered', (rig) => {
  const { t } = rig;
  const ask = { mac: NET.client.mac, sender: V6.client, target: V6.own[0] };
  const answer = advertisement({
    mac: NET.us[0],
    sender: V6.own[0],
    target: V6.own[0],
    to: V6.client,
    dst: NET.client.mac,
    flags: 0xe0,
  });
  t.is(answer.length, 86);
  t.deepEqual(rig.pass(0, 0, solicitation(ask)), [answer]);
  // One that goes to us alone, without an option: the frame's source is who asked.
  const unicast = { ...ask, to: V6.own[0], dst: NET.us[0], options: new Uint8Array(0) };
  t.deepEqual(rig.pass(0, 0, solicitation(unicast)), [answer]);
  t.is(rig.counter('answered'), 2);
});

contract('the link-layer address option is who asked, not the frame', (rig) => {
  const { t } = rig;
  const ask = solicitation({
    mac: NET.client.mac,
    sender: V6.client,
    target: V6.own[0],
    options: linkLayerOption(1, HOP.mac),
  });
  t.is(rig.one(0, 0, ask).eth.dst, HOP.mac);
});

contract('options that mean nothing to us are passed over', (rig) => {
  const { t } = rig;
  const nonce = Uint8Array.of(14, 1, 1, 2, 3, 4, 5, 6);
  const options = new Uint8Array([
    ...nonce,
    ...linkLayerOption(1, HOP.mac),
    ...linkLayerOption(1, NET.client.mac),
  ]);
  const ask = { mac: NET.client.mac, sender: V6.client, target: V6.own[0], options };
  t.is(rig.one(0, 0, solicitation(ask)).eth.dst, HOP.mac);
});

contract('the link-local address made of our MAC is ours too', (rig) => {
  const { t } = rig;
  const ours = linkLocal(NET.us[0]);
  const ask = { mac: NET.client.mac, sender: 'fe80::9', target: ours };
  const answer = advertisement({
    mac: NET.us[0],
    sender: ours,
    target: ours,
    to: 'fe80::9',
    dst: NET.client.mac,
    flags: 0xe0,
  });
  t.deepEqual(rig.pass(0, 0, solicitation(ask)), [answer]);
  // That of another interface is not, and nothing but neighbour discovery knows of it.
  rig.pass(0, 0, solicitation({ ...ask, target: linkLocal(NET.us[1]) }));
  rig.pass(0, 0, fromClient(ours).icmpEcho().build());
  t.deepEqual(rig.drops(), { nd_not_for_us: 1, martian_destination: 1 });
});

contract('a duplicate address probe is answered to all nodes, and teaches nothing', (rig) => {
  const { t } = rig;
  const probe = solicitation({
    mac: HOP.mac,
    sender: '::',
    target: OWN,
    options: new Uint8Array(0),
  });
  const answer = advertisement({
    mac: NET.us[1],
    sender: OWN,
    target: OWN,
    to: 'ff02::1',
    dst: '33:33:00:00:00:01',
    flags: 0xa0,
  });
  t.deepEqual(rig.pass(1, 1, probe), [answer]);
  t.is(rig.engine.occupancy().neighbours, 0);
});

contract('whoever asks for us is known from then on', (rig) => {
  const { t } = rig;
  rig.pass(1, 1, solicitation({ mac: HOP.mac, sender: HOP.address, target: OWN }));
  t.is(rig.one(0, 1, toHop(1)).eth.dst, HOP.mac);
  t.is(rig.counter('originated'), 0);
});

contract('whoever asks for others teaches nothing new, but confirms', (rig) => {
  const { t } = rig;
  const others = (mac: string) => solicitation({ mac, sender: HOP.address, target: 'fd02::77' });
  rig.pass(1, 1, others(HOP.mac));
  t.is(rig.engine.occupancy().neighbours, 0);
  rig.pass(0, 1, toHop(1));
  rig.pass(1, 1, reply());
  rig.pass(1, 1, others('02:00:00:00:00:c6'));
  t.is(rig.one(0, 1, toHop(2)).eth.dst, '02:00:00:00:00:c6');
});

contract('an advertisement without a link-layer address teaches nothing', (rig) => {
  const { t } = rig;
  rig.pass(0, 1, toHop(1));
  const silent = {
    mac: HOP.mac,
    sender: HOP.address,
    target: HOP.address,
    to: OWN,
    dst: NET.us[1],
  };
  rig.pass(1, 1, advertisement({ ...silent, options: new Uint8Array(0) }));
  t.is(rig.counter('held'), 1);
  t.deepEqual(rig.drops(), { nd_absorbed: 1 });
});

contract('an unsolicited advertisement to all nodes moves a neighbour', (rig) => {
  const { t } = rig;
  rig.pass(0, 1, toHop(1));
  rig.pass(1, 1, reply());
  const moved = advertisement({
    mac: '02:00:00:00:00:c6',
    sender: HOP.address,
    target: HOP.address,
    to: 'ff02::1',
    dst: '33:33:00:00:00:01',
    flags: 0x20,
  });
  rig.pass(1, 1, moved);
  t.is(rig.one(0, 1, toHop(2)).eth.dst, '02:00:00:00:00:c6');
});

contract('a packet waits for its neighbour and is sent when that answers', (rig) => {
  const { t } = rig;
  rig.send(0, toHop(1), toHop(2));
  rig.step();
  t.is(rig.counter('held'), 2);
  const asked = rig.receive(1);
  t.deepEqual(asked, [request(HOP.address)]);
  t.is(asked[0].length, 86);
  t.is(read(asked[0]).ip?.dst, solicitedNode(HOP.address));
  t.is(read(asked[0]).eth.dst, '33:33:ff:00:00:05');
  rig.send(1, reply());
  rig.step();
  const out = rig.receive(1);
  t.is(out.length, 2);
  t.deepEqual(
    out[0],
    packet()
      .eth({ src: NET.us[1], dst: HOP.mac })
      .ipv6({ src: V6.client, dst: HOP.address, ttl: 63 })
      .udp({ src: 1, dst: 7, payload: 'x' })
      .build(),
  );
});

contract('the gateway is solicited, not the destination', (rig) => {
  const { t } = rig;
  t.deepEqual(rig.pass(0, 1, toHop(1, 'fd09::1:2')), [request('fd02::7')]);
  rig.send(1, reply('fd02::7'));
  rig.step();
  t.is(read(rig.receive(1)[0]).ip?.dst, 'fd09::1:2');
});

contract(
  'a solicitation carries the address that shares the link, else a link-local one',
  async (rig) => {
    const { t } = rig;
    await rig.commit({ routes: [{ to: 'fd08::/64', over: 1 }] });
    const ours = linkLocal(NET.us[1]);
    t.deepEqual(rig.pass(0, 1, toHop(1, 'fd08::1')), [request('fd08::1', ours)]);
    await rig.commit({ addresses: [] });
    t.deepEqual(rig.pass(0, 1, toHop(1)), [request(HOP.address, ours)]);
  },
);

contract('solicitations are repeated each second and given up after three', (rig) => {
  const { t } = rig;
  rig.pass(0, 1, toHop(1));
  const asked: number[] = [];
  for (let ms = 100; ms <= 3_000; ms += 100) {
    rig.step(100);
    if (rig.receive(1).length > 0) asked.push(ms);
  }
  t.deepEqual(asked, [1_000, 2_000]);
  t.deepEqual(rig.drops(), { neighbour_unresolved: 1 });
  t.is(rig.counter('originated'), 3);
});

contract('a stale neighbour is used and solicited again', (rig) => {
  const { t } = rig;
  rig.pass(0, 1, toHop(1));
  rig.send(1, reply());
  rig.step();
  rig.receive(1);
  rig.send(0, toHop(2));
  rig.step(59_999);
  t.deepEqual(outcome(rig), [2]);
  rig.send(0, toHop(3), toHop(4));
  rig.step(1);
  t.deepEqual(outcome(rig), [3, 4, HOP.address]);
  rig.send(0, toHop(5));
  rig.step(60_000);
  t.deepEqual(outcome(rig), [HOP.address]);
  t.is(rig.counter('held'), 1);
});

contract(
  'both families share the table of neighbours',
  (rig) => {
    const { t } = rig;
    const toV4 = fromClient('10.2.0.5').udp({ src: 1, dst: 7 }).build();
    t.is(rig.pass(0, 1, toHop(1), toV4, toHop(2, 'fd02::6')).length, 2);
    t.deepEqual(rig.drops(), { neighbour_table_full: 1 });
    t.is(rig.engine.occupancy().neighbours, 2);
  },
  { neighbours: 2 },
);

contract('a new interface in a slot knows nothing of the old one', async (rig) => {
  const { t } = rig;
  rig.pass(0, 1, toHop(1));
  rig.pass(1, 1, reply());
  await rig.engine.removeInterface(1);
  await rig.engine.addInterface(memory(1));
  await rig.commit({ routes: [{ to: 'fd02::/64', over: 1 }] });
  t.deepEqual(rig.pass(0, 1, toHop(3)), [request(HOP.address, linkLocal(NET.us[1]))]);
});

contract('an IPv6 service behind a neighbour that is not known yet', async (rig) => {
  const { t } = rig;
  await rig.commit({ pools: [{ slot: 10, backends: [{ slot: 25, at: `[${V6.hop}]:8080` }] }] });
  rig.pass(0, 1, tcp('S', 1, V6.service));
  t.is(rig.counter('held'), 1);
  rig.send(1, reply());
  rig.step();
  const out = read(rig.receive(1)[0]);
  t.is(out.ip?.dst, V6.hop);
  t.is(out.tcp?.dst, 8080);
});
