// SPDX-License-Identifier: Apache-2.0
import { type PacketBuilder, packet, read } from '../support/packets.js';
import {
  FAMILIES,
  FIRST,
  fromClient,
  fromPod,
  NET,
  OF,
  tcp,
  tcpReply,
  toClient,
  toPod,
  udp,
} from './net.js';
import { contract } from './rig.js';

/** An exchange: what the client asks, and what it becomes; what the pod answers, and what it becomes. */
const EXCHANGES: readonly {
  name: string;
  offset: number;
  ask(builder: PacketBuilder): PacketBuilder;
  asked(builder: PacketBuilder): PacketBuilder;
  answer(builder: PacketBuilder): PacketBuilder;
  answered(builder: PacketBuilder): PacketBuilder;
}[] = [
  {
    name: 'TCP',
    offset: OF.tcp,
    ask: (b) => b.tcp({ src: 40_000, dst: 80, flags: 'S', seq: 9, payload: 'hello' }),
    asked: (b) => b.tcp({ src: 40_000, dst: 8080, flags: 'S', seq: 9, payload: 'hello' }),
    answer: (b) => b.tcp({ src: 8080, dst: 40_000, flags: 'SA', ack: 10, payload: 'world' }),
    answered: (b) => b.tcp({ src: 80, dst: 40_000, flags: 'SA', ack: 10, payload: 'world' }),
  },
  {
    name: 'UDP',
    offset: OF.udp,
    ask: (b) => b.udp({ src: 40_000, dst: 53, payload: 'query' }),
    asked: (b) => b.udp({ src: 40_000, dst: 5353, payload: 'query' }),
    answer: (b) => b.udp({ src: 5353, dst: 40_000, payload: 'answer' }),
    answered: (b) => b.udp({ src: 53, dst: 40_000, payload: 'answer' }),
  },
  {
    name: 'SCTP',
    offset: OF.sctp,
    ask: (b) => b.sctp({ src: 40_000, dst: 70, chunk: 'init', payload: 'how do you do' }),
    asked: (b) => b.sctp({ src: 40_000, dst: 7000, chunk: 'init', payload: 'how do you do' }),
    answer: (b) => b.sctp({ src: 7000, dst: 40_000, chunk: 'initAck', payload: 'fine' }),
    answered: (b) => b.sctp({ src: 70, dst: 40_000, chunk: 'initAck', payload: 'fine' }),
  },
  {
    name: 'echo',
    offset: OF.echo,
    ask: (b) => b.icmpEcho({ id: 77, seq: 3, payload: 'ping?' }),
    asked: (b) => b.icmpEcho({ id: 77, seq: 3, payload: 'ping?' }),
    answer: (b) => b.icmpEcho({ reply: true, id: 77, seq: 3, payload: 'ping!' }),
    answered: (b) => b.icmpEcho({ reply: true, id: 77, seq: 3, payload: 'ping!' }),
  },
];

for (const family of FAMILIES) {
  const { name, service, pod, client } = family;
  for (const { name: protocol, offset, ask, asked, answer, answered } of EXCHANGES) {
    contract(`${protocol} over ${name} is translated to the backend and back`, (rig) => {
      const { t } = rig;
      const question = ask(fromClient(service)).build();
      t.deepEqual(rig.pass(0, 1, question), [asked(toPod(pod)).build()]);
      const back = rig.pass(1, 0, answer(fromPod(client)).build());
      t.deepEqual(back, [answered(toClient(client, service)).build()]);
      t.is(rig.counter('forwarded'), 2);
      t.is(rig.counter('flowsCreated'), 1);
      t.is(rig.counter('masqueraded'), 0);
      t.is(rig.connections(FIRST[name] + offset), 1);
      t.deepEqual(rig.interface(0), [1, question.length, 1, back[0].length]);
    });
  }

  contract(`what is for no service is routed without a flow, ${name}`, (rig) => {
    const { t } = rig;
    const to = family.podAt(77);
    const out = rig.one(0, 1, fromClient(to).udp({ src: 9, dst: 53, payload: 'x' }).build());
    t.like(out.ip, { src: client, dst: to, ttl: 63 });
    const other = fromPod(family.other, family.podAt(9)).payload(new Uint8Array(12), 47).build();
    t.is(rig.pass(1, 0, other).length, 1);
    const { flows, flows6 } = rig.engine.occupancy();
    t.deepEqual([flows, flows6], [0, 0]);
  });

  contract(`a packet of exactly the MTU passes, ${name}`, (rig) => {
    const payload = new Uint8Array(1_500 - (name === 'IPv4' ? 28 : 48));
    const frame = fromClient(service).udp({ src: 9, dst: 53, payload }).build();
    rig.t.is(rig.pass(0, 1, frame).length, 1);
  });

  contract(`an echo request is answered on any of our addresses, ${name}`, (rig) => {
    const { t } = rig;
    for (const address of family.own) {
      const ask = fromClient(address, { ttl: 1 }).icmpEcho({ id: 77, seq: 3, payload: 'ping!' });
      const [out] = rig.pass(0, 0, ask.pad(5).build());
      const answer = packet().eth({ src: NET.us[0], dst: NET.client.mac });
      const expected =
        name === 'IPv4'
          ? answer.ipv4({ src: address, dst: client, id: 7 })
          : answer.ipv6({ src: address, dst: client });
      t.deepEqual(
        out,
        expected.icmpEcho({ reply: true, id: 77, seq: 3, payload: 'ping!' }).build(),
      );
    }
    t.is(rig.counter('answered'), 2);
    t.is(rig.counter('forwarded'), 0);
  });
}

contract('an echo is translated by its identifier, not by its sequence number', async (rig) => {
  const { t } = rig;
  for (const seq of [1, 2, 3]) rig.one(0, 1, fromClient(NET.service).icmpEcho({ seq }).build());
  t.is(rig.counter('flowsCreated'), 1);
  rig.one(0, 1, fromClient(NET.service).icmpEcho({ id: 2 }).build());
  t.is(rig.counter('flowsCreated'), 2);
});

contract('IPv4 options are carried along', (rig) => {
  const options = Uint8Array.of(1, 1, 1, 0);
  const frame = packet()
    .eth({ src: NET.client.mac, dst: NET.us[0] })
    .ipv4({ src: NET.client.address, dst: NET.service, options })
    .udp({ src: 9, dst: 53, payload: 'x' })
    .build();
  const [out] = rig.pass(0, 1, frame);
  rig.t.is(out[14], 0x46);
  rig.t.is(read(out).udp?.dst, 5353);
});

contract('Ethernet padding is cut off', (rig) => {
  const frame = fromClient(NET.service).udp({ src: 9, dst: 53, payload: 'x' }).pad(17).build();
  const [out] = rig.pass(0, 1, frame);
  rig.t.is(out.length, frame.length - 17);
  rig.t.deepEqual(rig.interface(0).slice(0, 2), [1, frame.length]);
  rig.t.deepEqual(rig.interface(1).slice(2), [1, out.length]);
});

contract('packets of one burst share the flow that the first of them makes', (rig) => {
  const { t } = rig;
  const out = rig.read(0, 1, udp(), udp(), udp());
  t.deepEqual(
    out.map(({ ip }) => ip?.dst),
    [NET.pod.address, NET.pod.address, NET.pod.address],
  );
  t.is(rig.counter('flowsCreated'), 1);
});

contract('both families share a burst', (rig) => {
  const { t } = rig;
  const [v4, v6] = FAMILIES;
  const frames = [udp(1, 'x', v6.service), udp(2), udp(3, 'x', v6.service), udp(4)];
  // All of IPv4 goes through the stages before all of IPv6; tx keeps the order of the burst.
  t.deepEqual(
    rig.read(0, 1, ...frames).map(({ ip, udp }) => [ip?.dst, udp?.src]),
    [
      [v6.pod, 1],
      [v4.pod, 2],
      [v6.pod, 3],
      [v4.pod, 4],
    ],
  );
});

contract('a poll takes 64 frames of an interface', (rig) => {
  const { t } = rig;
  rig.send(0, ...Array.from({ length: 65 }, (_, i) => udp(1_000 + i)));
  rig.step();
  t.is(rig.receive(1).length, 64);
  rig.step();
  t.is(rig.receive(1).length, 1);
  t.is(rig.counter('rx'), 65);
});

contract('what the interface does not take is dropped as tx_full', (rig) => {
  const { t } = rig;
  for (let sent = 0; sent < 1_024; sent += 64) {
    rig.send(0, ...Array.from({ length: 64 }, () => udp()));
    rig.step();
  }
  rig.send(0, udp(), udp());
  rig.step();
  t.deepEqual(rig.drops(), { tx_full: 2 });
  t.is(rig.counter('forwarded'), 1_024);
  t.is(rig.receive(1).length, 1_024);
});

contract('a memory interface takes 1,024 frames', (rig) => {
  const frames = Array.from({ length: 1_030 }, () => udp());
  rig.t.is(rig.engine.send(0, frames), 1_024);
});

contract('frames are copied in', (rig) => {
  const frame = udp();
  const before = frame.slice();
  rig.pass(0, 1, frame);
  rig.t.deepEqual(frame, before);
});

contract('a reply in the middle of a connection needs its flow', (rig) => {
  const { t } = rig;
  // Without a flow it is an ordinary packet, and goes where its addresses say.
  t.is(rig.one(1, 0, tcpReply('A')).ip?.src, NET.pod.address);
  rig.one(0, 1, tcp('A'));
  t.is(rig.one(1, 0, tcpReply('A')).ip?.src, NET.service);
});
