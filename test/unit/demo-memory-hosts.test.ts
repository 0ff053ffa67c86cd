// SPDX-License-Identifier: Apache-2.0
import test, { type ExecutionContext } from 'ava';
import fc from 'fast-check';
import { buildFrame, type Frame, parseFrame } from '../../lib/cli/demo/frames.js';
import { MemoryHost } from '../../lib/cli/demo/memory-host.js';
import type { Seat } from '../../lib/cli/demo/shop.js';
import { arp, faults, packet, read } from '../support/packets.js';

const MAC_A = '02:00:00:00:00:0a';
const MAC_B = '02:00:00:00:00:0b';
const A: Seat = { name: 'a', address: '10.0.0.1', gateway: '10.0.0.2' };
const B: Seat = { name: 'b', address: '10.0.0.2', gateway: '10.0.0.1' };

/** Two hosts on one cable, each the other's gateway, and every frame that passed. */
function cable(t: ExecutionContext): { a: MemoryHost; b: MemoryHost; frames: Uint8Array[] } {
  const frames: Uint8Array[] = [];
  const carry = (to: () => MemoryHost) => (frame: Uint8Array) => {
    t.deepEqual(faults(frame), []);
    frames.push(frame);
    queueMicrotask(() => to().receive(frame));
  };
  const a: MemoryHost = new MemoryHost(
    A,
    MAC_A,
    carry(() => b),
  );
  const b: MemoryHost = new MemoryHost(
    B,
    MAC_B,
    carry(() => a),
  );
  return { a, b, frames };
}

test('a datagram is answered, after one ARP exchange for all of them', async (t) => {
  const { a, b, frames } = cable(t);
  b.serveUdp(53, (question) =>
    new TextEncoder().encode(`re: ${new TextDecoder().decode(question)}`),
  );
  const answers = await Promise.all(
    ['one', 'two', 'three'].map((question) => a.requestUdp(B.address, 53, question)),
  );
  t.deepEqual(answers, ['re: one', 're: two', 're: three']);
  t.is(frames.filter((frame) => read(frame).arp !== undefined).length, 2);
  const ports = frames.flatMap((frame) => {
    const { udp } = read(frame);
    return udp?.dst === 53 ? [udp.src] : [];
  });
  t.is(new Set(ports).size, 3, 'each from a port of its own');
  t.is(a.faults + b.faults, 0);
});

test('a TCP request is answered over a connection that opens and closes', async (t) => {
  const { a, b, frames } = cable(t);
  b.serveTcp(80, (request) => (request.endsWith('!') ? `${request}?` : null));
  t.is(await a.requestTcp(B.address, 80, 'hello!'), 'hello!?');
  const flags = frames.flatMap((frame) => read(frame).tcp?.flags ?? []);
  t.deepEqual(flags.slice(0, 2), ['S', 'SA']);
  t.is(flags.filter((each) => each.includes('F')).length, 2, 'both sides close');
  t.false(flags.some((each) => each.includes('R')));
  t.is(a.faults + b.faults, 0);
});

test('many TCP connections at a time do not mix', async (t) => {
  const { a, b } = cable(t);
  b.serveTcp(80, (request) => `answer to ${request}`);
  const requests = Array.from({ length: 200 }, (_, index) => `request ${index}`);
  const answers = await Promise.all(requests.map((each) => a.requestTcp(B.address, 80, each)));
  t.deepEqual(
    answers,
    requests.map((each) => `answer to ${each}`),
  );
  t.is(a.faults + b.faults, 0);
});

test('a connection that is reset is an error', async (t) => {
  const sent: Uint8Array[] = [];
  const host = new MemoryHost(A, MAC_A, (frame) => sent.push(frame));
  const answer = host.requestTcp('10.9.9.9', 80, 'hello');
  host.receive(
    arp({ operation: 2, senderMac: MAC_B, sender: A.gateway, target: A.address, dst: MAC_A }),
  );
  const syn = read(sent[1]!);
  t.is(syn.tcp?.flags, 'S');
  host.receive(
    packet()
      .eth({ src: MAC_B, dst: MAC_A })
      .ipv4({ src: '10.9.9.9', dst: A.address })
      .tcp({ src: 80, dst: syn.tcp!.src, flags: 'RA' })
      .build(),
  );
  await t.throwsAsync(answer, { message: /refused/ });
});

test('a host answers ping', async (t) => {
  const { a, frames } = cable(t);
  await a.requestEcho(B.address);
  t.deepEqual(
    frames.flatMap((frame) => read(frame).icmp?.type ?? []),
    [8, 0],
  );
});

test('frames that are not for a host, or broken, are counted and nothing else', (t) => {
  const sent: Uint8Array[] = [];
  const host = new MemoryHost(A, MAC_A, (frame) => sent.push(frame));
  const datagram = (): ReturnType<typeof packet> =>
    packet().eth({ src: MAC_B, dst: MAC_A }).ipv4({ src: B.address, dst: A.address });
  host.serveUdp(53, (question) => question);
  host.receive(datagram().udp({ src: 1, dst: 99 }).build());
  host.receive(datagram().udp({ src: 1, dst: 53, checksum: 1 }).build());
  host.receive(datagram().udp({ src: 1, dst: 53 }).truncate(30).build());
  host.receive(datagram().tcp({ src: 1, dst: 80, flags: 'S' }).build());
  host.receive(
    datagram().ipv4({ src: B.address, dst: '10.0.0.9' }).udp({ src: 1, dst: 53 }).build(),
  );
  t.is(host.faults, 5);
  t.deepEqual(sent, []);
});

const octets = fc.tuple(fc.nat(255), fc.nat(255), fc.nat(255), fc.nat(255));
const address = octets.map((bytes) => bytes.join('.'));
const port = fc.nat(0xffff);
const word = fc.nat(0xffff_ffff);
const payload = fc.uint8Array({ maxLength: 64 });
const frame: fc.Arbitrary<Frame> = fc
  .record({ source: address, destination: address, sourcePort: port, destinationPort: port })
  .chain((fields) => {
    const envelope = { sourceMac: MAC_A, destinationMac: MAC_B, ...fields };
    const { sourcePort: _s, destinationPort: _d, ...plain } = envelope;
    return fc.oneof(
      payload.map((bytes): Frame => ({ kind: 'udp', ...envelope, payload: bytes })),
      fc.tuple(payload, word, word, fc.boolean(), fc.boolean()).map(
        ([bytes, sequence, acknowledgement, syn, ack]): Frame => ({
          kind: 'tcp',
          ...envelope,
          sequence,
          acknowledgement,
          flags: { ...(syn ? { syn } : {}), ...(ack ? { ack } : {}) },
          payload: bytes,
        }),
      ),
      fc.tuple(fc.boolean(), port, port).map(
        ([reply, identifier, sequence]): Frame => ({
          kind: 'echo',
          ...plain,
          reply,
          identifier,
          sequence,
        }),
      ),
    );
  });

test('frames are right to the last checksum, and read back as they were built', (t) => {
  fc.assert(
    fc.property(frame, (each) => {
      const bytes = buildFrame(each);
      t.deepEqual(faults(bytes), []);
      t.deepEqual(parseFrame(bytes), each);
    }),
  );
});

test('a frame with one byte other than it was is not taken', (t) => {
  fc.assert(
    fc.property(frame, fc.nat(), fc.integer({ min: 1, max: 255 }), (each, where, change) => {
      const bytes = buildFrame(each);
      const at = 14 + (where % (bytes.length - 14));
      bytes[at]! ^= change;
      t.is(parseFrame(bytes), null);
    }),
  );
});
