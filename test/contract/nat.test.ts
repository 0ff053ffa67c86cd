// SPDX-License-Identifier: Apache-2.0
import { packet, read } from '../support/packets.js';
import { contract, fromClient, fromPod, NET, tcp, tcpReply, udp, udpReply } from './rig.js';

contract('a TCP connection is translated to the backend and back', (rig) => {
  const { t } = rig;
  const [out, ...more] = rig.pass(0, 1, tcp('S'));
  t.is(more.length, 0);
  t.deepEqual(
    out,
    packet()
      .eth({ src: NET.us[1], dst: NET.pod.mac })
      .ipv4({ src: NET.client.address, dst: NET.pod.address, id: 7, ttl: 63 })
      .tcp({ src: 40_000, dst: 8080, flags: 'S', payload: 'hello' })
      .build(),
  );
  const [back] = rig.pass(1, 0, tcpReply('SA'));
  t.deepEqual(
    back,
    packet()
      .eth({ src: NET.us[0], dst: NET.client.mac })
      .ipv4({ src: NET.service, dst: NET.client.address, id: 8, ttl: 63 })
      .tcp({ src: 80, dst: 40_000, flags: 'SA', payload: 'world' })
      .build(),
  );
  t.is(rig.counter('forwarded'), 2);
  t.is(rig.counter('flowsCreated'), 1);
  t.is(rig.connections(0), 1);
  t.deepEqual(rig.interface(0), [1, tcp('S').length, 1, back.length]);
});

contract('a UDP exchange is translated to the backend and back', (rig) => {
  const { t } = rig;
  const out = read(rig.pass(0, 1, udp())[0]);
  t.is(out.ipv4?.dst, NET.pod.address);
  t.is(out.udp?.dst, 5353);
  const back = read(rig.pass(1, 0, udpReply())[0]);
  t.is(back.ipv4?.src, NET.service);
  t.is(back.udp?.src, 53);
});

contract('a UDP checksum of zero stays zero', (rig) => {
  const frame = fromClient(NET.service).udp({ src: 9, dst: 53, checksum: 0 }).build();
  rig.t.is(read(rig.pass(0, 1, frame)[0]).udp?.checksum, 0);
});

contract('a UDP checksum that comes out as zero is sent as 0xffff', (rig) => {
  // The payload's last word makes up for the rest: the checksum after the translation is zero.
  const probe = (word: number) =>
    packet()
      .eth({ src: NET.us[1], dst: NET.pod.mac })
      .ipv4({ src: NET.client.address, dst: NET.pod.address })
      .udp({ src: 9, dst: 5353, payload: Uint8Array.of(word >> 8, word & 0xff) })
      .build();
  const rest = read(probe(0)).udp?.checksum ?? 0;
  const payload = Uint8Array.of(rest >> 8, rest & 0xff);
  rig.t.is(read(probe(rest)).udp?.checksum, 0xffff);
  const [out] = rig.pass(0, 1, fromClient(NET.service).udp({ src: 9, dst: 53, payload }).build());
  rig.t.is(read(out).udp?.checksum, 0xffff);
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

contract('a packet in the middle of a connection is picked up', (rig) => {
  rig.t.is(read(rig.pass(0, 1, tcp('PA'))[0]).tcp?.dst, 8080);
  rig.t.is(rig.counter('flowsCreated'), 1);
});

contract('what is for no service is routed without a flow', (rig) => {
  const { t } = rig;
  const frame = fromClient('10.1.0.77').udp({ src: 9, dst: 53, payload: 'x' }).build();
  const out = read(rig.pass(0, 1, frame)[0]);
  t.is(out.ipv4?.dst, '10.1.0.77');
  t.is(out.ipv4?.ttl, 63);
  const other = fromPod('10.0.0.200').ipv4({ src: '10.1.0.9', dst: '10.0.0.200', protocol: 132 });
  t.is(rig.pass(1, 0, other.payload(new Uint8Array(12)).build()).length, 1);
  t.is(rig.engine.flowCount(), 0);
});

contract('a packet of exactly the MTU passes', (rig) => {
  const payload = new Uint8Array(1_500 - 28);
  rig.t.is(
    rig.pass(0, 1, fromClient(NET.service).udp({ src: 9, dst: 53, payload }).build()).length,
    1,
  );
});

contract('an ICMP echo request is answered on any of our addresses', (rig) => {
  const { t } = rig;
  for (const address of ['10.0.0.1', '10.2.0.1']) {
    const frame = fromClient(address, { ttl: 1 })
      .icmpEcho({ id: 77, seq: 3, payload: 'ping!' })
      .pad(5)
      .build();
    const [out] = rig.pass(0, 0, frame);
    t.deepEqual(
      out,
      packet()
        .eth({ src: NET.us[0], dst: NET.client.mac })
        .ipv4({ src: address, dst: NET.client.address, id: 7, ttl: 64 })
        .icmp({ type: 0, id: 77, seq: 3, payload: 'ping!' })
        .build(),
    );
  }
  t.is(rig.counter('answered'), 2);
  t.is(rig.counter('forwarded'), 0);
});

contract('packets of one burst share the flow that the first of them makes', (rig) => {
  const { t } = rig;
  const out = rig.pass(0, 1, udp(), udp(), udp());
  t.is(out.length, 3);
  for (const frame of out) t.is(read(frame).ipv4?.dst, NET.pod.address);
  t.is(rig.counter('flowsCreated'), 1);
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
