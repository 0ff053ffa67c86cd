// SPDX-License-Identifier: Apache-2.0
import { crc32c, type PacketBuilder, packet, read } from '../support/packets.js';
import { FAMILIES, fromClient, fromPod, memory, NET, toPod, V4 } from './net.js';
import { contract, type Rig } from './rig.js';

/** The payload makes up for the rest, so that the checksum is zero, which is written 0xffff. */
function payloadOfZeroSum(builder: PacketBuilder, ports: { src: number; dst: number }): Uint8Array {
  const rest =
    read(builder.udp({ ...ports, payload: new Uint8Array(2) }).build()).udp?.checksum ?? 0;
  return Uint8Array.of(rest >> 8, rest & 0xff);
}

contract('a UDP checksum of zero stays zero, over IPv4 and IPv6', (rig) => {
  for (const { service } of FAMILIES) {
    rig.send(0, fromClient(service).udp({ src: 9, dst: 53, checksum: 0 }).build());
    rig.step();
    const [out] = rig.engine.receive(1, 1);
    rig.t.like(read(out).udp, { dst: 5353, checksum: 0 });
  }
});

for (const { name, service, pod, client } of FAMILIES) {
  contract(`a UDP checksum that comes out as zero is sent as 0xffff, ${name}`, (rig) => {
    const payload = payloadOfZeroSum(toPod(pod), { src: 9, dst: 5353 });
    const out = rig.one(0, 1, fromClient(service).udp({ src: 9, dst: 53, payload }).build());
    rig.t.is(out.udp?.checksum, 0xffff);
  });

  contract(`a wrong L4 checksum stays wrong by as much, ${name}`, (rig) => {
    const { t } = rig;
    const right = read(fromClient(service).tcp({ src: 9, dst: 80, flags: 'S' }).build()).tcp;
    const checksum = (right?.checksum ?? 0) ^ 0x0100;
    rig.send(0, fromClient(service).tcp({ src: 9, dst: 80, flags: 'S', checksum }).build());
    rig.step();
    const expected = read(toPod(pod).tcp({ src: 9, dst: 8080, flags: 'S' }).build()).tcp?.checksum;
    const [out] = rig.engine.receive(1, 1);
    t.not(read(out).tcp?.checksum, expected);
    t.is(
      onesDifference(read(out).tcp?.checksum, expected),
      onesDifference(checksum, right?.checksum),
    );
  });

  contract(`every length of an SCTP packet keeps its CRC32c, ${name}`, (rig) => {
    for (let length = 0; length <= 130; length++) {
      const payload = Uint8Array.from({ length }, (_, i) => i * 7);
      const ask = { src: 9, dst: 70, chunk: 'init', payload } as const;
      rig.t.deepEqual(rig.pass(0, 1, fromClient(service).sctp(ask).build()), [
        toPod(pod)
          .sctp({ ...ask, dst: 7000 })
          .build(),
      ]);
    }
  });

  contract(`a wrong CRC32c is not made right, ${name}`, (rig) => {
    rig.send(0, fromClient(service).sctp({ src: 9, dst: 70, chunk: 'init', checksum: 1 }).build());
    rig.step();
    const [out] = rig.engine.receive(1, 1);
    rig.t.like(read(out).sctp, { dst: 7000 });
    const l4 = out.slice(name === 'IPv4' ? 34 : 54);
    const sent = new DataView(l4.buffer).getInt32(8, true);
    l4.fill(0, 8, 12);
    rig.t.not(sent, crc32c(l4));
  });

  contract(`the reply's checksum is updated by addresses and ports, ${name}`, (rig) => {
    for (let n = 0; n < 64; n++) {
      const payload = Uint8Array.from({ length: n }, (_, i) => 255 - i);
      rig.one(
        0,
        1,
        fromClient(service)
          .udp({ src: 50_000 + n, dst: 53, payload })
          .build(),
      );
      const back = fromPod(client)
        .udp({ src: 5353, dst: 50_000 + n, payload })
        .build();
      rig.t.deepEqual(rig.one(1, 0, back).udp?.payload, payload);
    }
  });
}

/** A rig whose pods are behind an interface with unfinished checksums in slot 2. */
async function addUnfinished(rig: Rig): Promise<void> {
  await rig.engine.addInterface(memory(2, { unfinishedChecksums: true }));
}

/** From the client, but into interface 2. */
function into2(dst: string) {
  const src = dst.includes(':') ? 'fd00::9' : '10.0.0.9';
  return packet().eth({ src: NET.client.mac, dst: '02:00:00:00:01:02' }).ip({ src, dst });
}

for (const { name, service, pod, client } of FAMILIES) {
  contract(`unfinished checksums are computed on the way in, ${name}`, async (rig) => {
    const { t } = rig;
    await addUnfinished(rig);
    const tcpFields = { src: 9, dst: 80, flags: 'S', payload: 'odd' };
    const udpFields = { src: 9, dst: 53, payload: 'odd' };
    const sctpFields = { src: 9, dst: 70, chunk: 'init', payload: 'odd' } as const;
    const out = rig.read(
      2,
      1,
      into2(service)
        .tcp({ ...tcpFields, checksum: 'unfinished' })
        .build(),
      into2(service)
        .udp({ ...udpFields, checksum: 'unfinished' })
        .build(),
      into2(service)
        .sctp({ ...sctpFields, checksum: 0 })
        .build(),
      into2(pod)
        .udp({ ...udpFields, checksum: 'unfinished' })
        .build(),
    );
    t.is(out.length, 4);
    t.deepEqual(
      out.map(({ ip }) => ip?.dst),
      [pod, pod, pod, pod],
    );
  });

  contract(
    `an unfinished UDP checksum that comes out as zero is sent as 0xffff, ${name}`,
    async (rig) => {
      await addUnfinished(rig);
      const ports = { src: 9, dst: 9 };
      const payload = payloadOfZeroSum(into2(pod), ports);
      const ask = into2(pod).udp({ ...ports, payload, checksum: 'unfinished' });
      rig.t.is(rig.one(2, 1, ask.build()).udp?.checksum, 0xffff);
    },
  );

  contract(`a quoted UDP checksum that comes out as zero is written 0xffff, ${name}`, (rig) => {
    const payload = payloadOfZeroSum(fromClient(service), { src: 9, dst: 53 });
    const [toPod] = rig.pass(0, 1, fromClient(service).udp({ src: 9, dst: 53, payload }).build());
    const error = fromPod(client).icmpError({ type: name === 'IPv4' ? 3 : 1, quoting: toPod });
    rig.t.is(rig.one(1, 0, error.build()).icmp?.quoted?.udp?.checksum, 0xffff);
  });

  contract(`finished checksums and a UDP field of zero are left alone, ${name}`, async (rig) => {
    const { t } = rig;
    await addUnfinished(rig);
    t.is(rig.one(2, 1, into2(service).tcp({ src: 9, dst: 80, flags: 'S' }).build()).tcp?.dst, 8080);
    rig.send(2, into2(service).udp({ src: 9, dst: 53, checksum: 0 }).build());
    rig.step();
    t.is(read(rig.engine.receive(1, 1)[0]).udp?.checksum, 0);
  });
}

contract('on other interfaces an unfinished checksum is nothing but wrong', (rig) => {
  const frame = fromClient(V4.service)
    .udp({ src: 9, dst: 53, payload: 'x', checksum: 'unfinished' })
    .build();
  rig.send(0, frame);
  rig.step();
  const out = read(rig.engine.receive(1, 1)[0]);
  const right = read(toPod(V4.pod).udp({ src: 9, dst: 5353, payload: 'x' }).build());
  rig.t.not(out.udp?.checksum, right.udp?.checksum);
});

contract('a UDP length below the packet is what an unfinished checksum covers', async (rig) => {
  await addUnfinished(rig);
  // The trailer lies in the IP packet, behind the UDP datagram.
  const datagram = new Uint8Array(16);
  const view = new DataView(datagram.buffer);
  view.setUint16(0, 9);
  view.setUint16(2, 53);
  view.setUint16(4, 12);
  datagram.set(new TextEncoder().encode('abcd'), 8);
  const unfinished = into2(V4.service).udp({
    src: 9,
    dst: 53,
    payload: 'abcd',
    checksum: 'unfinished',
  });
  view.setUint16(6, read(unfinished.build()).udp?.checksum ?? 0);
  const out = rig.one(2, 1, into2(V4.service).payload(datagram, 17).build());
  rig.t.is(out.udp?.dst, 5353);
});

function onesDifference(a = 0, b = 0): number {
  return (a - b + 0xffff) % 0xffff;
}
