// SPDX-License-Identifier: Apache-2.0
import { arp, packet, read } from '../support/packets.js';
import { fromClient, memory, NET, tcp } from './net.js';
import { contract, type Rig } from './rig.js';

const HOP = { mac: '02:00:00:00:00:c5', address: '10.2.0.5' };

function toHop(n: number, dst: string = HOP.address): Uint8Array {
  return fromClient(dst).udp({ src: n, dst: 7, payload: 'x' }).build();
}

function reply(sender: string = HOP.address): Uint8Array {
  const target = { target: '10.2.0.1', targetMac: NET.us[1], dst: NET.us[1] };
  return arp({ operation: 2, senderMac: HOP.mac, sender, ...target });
}

function request(target: string, sender = '10.2.0.1'): Uint8Array {
  return arp({ operation: 1, senderMac: NET.us[1], sender, target });
}

/** Takes what came out of the pods' interface as requests' targets and other packets' ports. */
function outcome(rig: Rig): (string | number)[] {
  return rig
    .receive(1)
    .map(read)
    .map((frame) => frame.arp?.target ?? frame.udp?.src ?? -1);
}

contract('an ARP request for our address is answered', (rig) => {
  const { t } = rig;
  const ask = { operation: 1, senderMac: NET.client.mac, sender: NET.client.address };
  const [answer] = rig.pass(
    0,
    0,
    new Uint8Array([...arp({ ...ask, target: '10.0.0.1' }), 0, 0, 0]),
  );
  t.deepEqual(
    answer,
    arp({
      operation: 2,
      senderMac: NET.us[0],
      sender: '10.0.0.1',
      targetMac: NET.client.mac,
      target: NET.client.address,
      dst: NET.client.mac,
    }),
  );
  t.is(rig.counter('answered'), 1);
});

contract('an ARP probe for our address is answered and teaches nothing', (rig) => {
  const { t } = rig;
  const probe = arp({ operation: 1, senderMac: HOP.mac, sender: '0.0.0.0', target: '10.2.0.1' });
  t.is(read(rig.pass(1, 1, probe)[0]).arp?.target, '0.0.0.0');
});

contract('whoever asks for us is known from then on', (rig) => {
  const { t } = rig;
  const ask = arp({ operation: 1, senderMac: HOP.mac, sender: HOP.address, target: '10.2.0.1' });
  rig.pass(1, 1, ask);
  const [out] = rig.pass(0, 1, toHop(1));
  t.is(read(out).eth.dst, HOP.mac);
  t.is(rig.counter('originated'), 0);
});

contract('an announcement teaches nothing new, but confirms', (rig) => {
  const { t } = rig;
  const announce = (senderMac: string) =>
    arp({ operation: 1, senderMac, sender: HOP.address, target: HOP.address });
  rig.pass(1, 1, announce(HOP.mac));
  rig.pass(0, 1, toHop(1));
  t.is(rig.counter('held'), 1);
  rig.pass(1, 1, reply());
  rig.pass(1, 1, announce('02:00:00:00:00:c6'));
  t.is(read(rig.pass(0, 1, toHop(2))[0]).eth.dst, '02:00:00:00:00:c6');
});

contract('a packet waits for its neighbour and is sent when that answers', (rig) => {
  const { t } = rig;
  rig.send(0, toHop(1), toHop(2));
  rig.step();
  t.is(rig.counter('held'), 2);
  t.is(rig.counter('originated'), 1);
  t.deepEqual(rig.receive(1), [request(HOP.address)]);

  rig.send(1, reply());
  rig.step();
  t.is(rig.counter('held'), 0);
  const out = rig.receive(1);
  t.deepEqual(
    out.map((frame) => read(frame).udp?.src),
    [1, 2],
  );
  t.deepEqual(
    out[0],
    packet()
      .eth({ src: NET.us[1], dst: HOP.mac })
      .ipv4({ src: NET.client.address, dst: HOP.address, id: 7, ttl: 63 })
      .udp({ src: 1, dst: 7, payload: 'x' })
      .build(),
  );
  t.is(rig.counter('forwarded'), 2);
});

contract('requests are sent behind the packets of the burst', (rig) => {
  rig.send(0, toHop(1), toHop(2, '10.1.0.2'));
  rig.step();
  rig.t.deepEqual(outcome(rig), [2, HOP.address]);
});

contract('the gateway is asked for, not the destination', (rig) => {
  const { t } = rig;
  t.deepEqual(rig.pass(0, 1, toHop(1, '10.9.1.2')), [request('10.2.0.7')]);
  rig.send(1, reply('10.2.0.7'));
  rig.step();
  t.is(read(rig.receive(1)[0]).ipv4?.dst, '10.9.1.2');
});

contract(
  'a request carries the address that shares the link, else the first, else none',
  async (rig) => {
    const { t } = rig;
    await rig.commit({ routes: [{ to: '10.8.0.0/16', over: 1 }] });
    t.deepEqual(rig.pass(0, 1, toHop(1, '10.8.0.1')), [request('10.8.0.1', '10.1.0.1')]);
    await rig.commit({ addresses: [] });
    t.deepEqual(rig.pass(0, 1, toHop(1, '10.8.0.2')), [request('10.8.0.2', '0.0.0.0')]);
  },
);

contract('requests are repeated each second and given up after three', (rig) => {
  const { t } = rig;
  rig.pass(0, 1, toHop(1));
  const asked: number[] = [];
  for (let ms = 100; ms <= 3_000; ms += 100) {
    rig.step(100);
    if (rig.receive(1).length > 0) asked.push(ms);
  }
  t.deepEqual(asked, [1_000, 2_000]);
  t.deepEqual(rig.drops(), { neighbour_unresolved: 1 });
  t.is(rig.counter('held'), 0);
  t.is(rig.counter('originated'), 3);
});

contract('16 packets wait for one neighbour', (rig) => {
  const { t } = rig;
  rig.send(0, ...Array.from({ length: 20 }, (_, i) => toHop(i + 1)));
  rig.step();
  t.is(rig.counter('held'), 16);
  t.deepEqual(rig.drops(), { neighbour_queue_full: 4 });
  t.is(rig.counter('originated'), 1);
  rig.receive(1);
  rig.send(1, reply());
  rig.step();
  t.deepEqual(
    outcome(rig),
    Array.from({ length: 16 }, (_, i) => i + 1),
  );
});

contract(
  '1,024 packets wait in all, and one more makes no entry',
  (rig) => {
    const { t } = rig;
    for (let n = 0; n < 1_024; n += 16) {
      const frames = Array.from({ length: 16 }, (_, i) => toHop(i + 1, `10.2.1.${n / 16}`));
      rig.send(0, ...frames);
      rig.step();
    }
    t.is(rig.counter('held'), 1_024);
    const asked = rig.counter('originated');
    rig.pass(0, 1, toHop(1, '10.2.2.1'));
    t.is(rig.counter('originated'), asked);
    t.deepEqual(rig.drops(), { neighbour_queue_full: 1 });
  },
  { neighbours: 65 },
);

contract('a stale neighbour is used and asked again', (rig) => {
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
  rig.step(999);
  t.deepEqual(outcome(rig), [5]);
  rig.send(0, toHop(6));
  rig.step(1);
  t.deepEqual(outcome(rig), [6, HOP.address]);
  // Up to 119.999 s after the confirmation, and not a millisecond longer.
  rig.send(0, toHop(7));
  rig.step(58_999);
  t.deepEqual(outcome(rig), [7, HOP.address]);
  rig.send(0, toHop(8));
  rig.step(1);
  t.deepEqual(outcome(rig), []);
  t.is(rig.counter('held'), 1);
  rig.send(1, reply());
  rig.step(1);
  t.deepEqual(outcome(rig), [8]);
});

contract('packets that wait for an interface go with it', async (rig) => {
  const { t } = rig;
  rig.pass(0, 1, toHop(1), toHop(2, '10.2.0.6'));
  t.is(rig.counter('held'), 2);
  await rig.engine.removeInterface(1);
  rig.step();
  t.is(rig.counter('held'), 0);
  t.deepEqual(rig.drops(), { interface_removed: 2 });
});

contract('a new interface in a slot knows nothing of the old one', async (rig) => {
  const { t } = rig;
  rig.pass(0, 1, toHop(1));
  rig.pass(1, 1, reply());
  await rig.engine.removeInterface(1);
  await rig.engine.addInterface(memory(1));
  rig.pass(0, 1, toHop(2));
  t.deepEqual(rig.drops(), { arp_absorbed: 1, no_route: 1 });
  await rig.commit({ routes: [{ to: '10.2.0.0/16', over: 1 }] });
  t.deepEqual(rig.pass(0, 1, toHop(3)), [request(HOP.address, '0.0.0.0')]);
});

contract('a service behind a neighbour that is not known yet', async (rig) => {
  const { t } = rig;
  await rig.commit({ pools: [{ slot: 0, backends: [{ slot: 25, at: '10.2.0.5:8080' }] }] });
  rig.pass(0, 1, tcp('S'));
  t.is(rig.counter('held'), 1);
  rig.send(1, reply());
  rig.step();
  const [out] = rig.receive(1);
  t.is(read(out).ipv4?.dst, HOP.address);
  t.is(read(out).tcp?.dst, 8080);
});

contract('a clock that goes back does not make a held packet old', async (rig) => {
  const { t } = rig;
  rig.send(0, fromClient('10.2.0.9').udp({ src: 1, dst: 2, payload: 'x' }).build());
  rig.step();
  t.is(rig.counter('held'), 1);
  rig.step(-500);
  t.is(rig.counter('held'), 1);
  t.deepEqual(rig.drops(), {});
});
