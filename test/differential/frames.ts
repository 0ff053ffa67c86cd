// SPDX-License-Identifier: Apache-2.0
import fc from 'fast-check';
import { packet } from '../support/packets.js';
import { extensions, layer4, shortPayload } from './layers.js';
import { arpFrame, ndFrame } from './neighbours.js';
import { askers, talkers, type Way, wanderers } from './ways.js';
import { type Arrival, MACS, mostly, PEER_MACS, pick, WORLDS, type World } from './world.js';

const none = fc.constant({});
const ttl = mostly(20, fc.constant(64), pick(0, 1, 2));
const brokenV4 = mostly<object>(
  24,
  none,
  pick(
    { checksum: 0x1234 },
    { options: new Uint8Array(8).fill(1) },
    { version: 6 },
    { totalLength: 19 },
    { totalLength: 60_000 },
    { fragment: 0x2000 },
    { fragment: 5 },
  ),
);
const brokenV6 = mostly<object>(
  24,
  none,
  pick({ version: 4 }, { payloadLength: 4 }, { payloadLength: 60_000 }, { payloadLength: 0 }),
);
const eth = mostly<{ dst?: string; type?: number }>(
  20,
  none,
  pick(
    { dst: 'ff:ff:ff:ff:ff:ff' },
    { dst: '33:33:00:00:00:01' },
    { dst: PEER_MACS[0] },
    { type: 0x86dd },
    { type: 0x0800 },
    { type: 0x8100 },
  ),
);

/** A frame of whatever L4, whole or broken in some way. */
function frame(world: World, where: fc.Arbitrary<Way>): fc.Arbitrary<Arrival> {
  return where.chain(({ on, src, dst, ports }) =>
    fc
      .record({
        add: layer4(fc.constant(ports), shortPayload),
        ttl,
        eth,
        pad: pick(0, 0, 0, 6),
        v4: brokenV4,
        v6: brokenV6,
        extensions,
      })
      .map(({ add, ttl, eth, pad, v4, v6, extensions }) => {
        const builder = packet()
          .eth({ src: PEER_MACS[on], dst: MACS[on], ...eth })
          .pad(pad);
        if (world.family === 4) builder.ipv4({ src, dst, ttl, ...v4 });
        else builder.ipv6({ src, dst, ttl, extensions, ...v6 });
        return { on, frame: add(builder).build() };
      }),
  );
}

const asked = fc.oneof(...WORLDS.map((world) => frame(world, askers(world))));
const talking = fc.oneof(...WORLDS.map((world) => frame(world, talkers(world))));
const wandering = fc.oneof(...WORLDS.map((world) => frame(world, wanderers(world))));

/** A frame with bytes flipped or cut off. */
const mangled = fc
  .record({
    whole: fc.oneof(asked, wandering, arpFrame, ndFrame),
    flips: fc.array(fc.record({ at: fc.nat(90), bit: fc.nat(7) }), { maxLength: 3 }),
    cut: fc.option(fc.nat(100)),
  })
  .map(({ whole, flips, cut }) => {
    const bytes = whole.frame.slice(0, cut ?? undefined);
    for (const { at, bit } of flips) if (at < bytes.length) bytes[at] ^= 1 << bit;
    return { on: whole.on, frame: bytes };
  });

/** One frame, mostly for a service. */
export const anyFrame: fc.Arbitrary<Arrival> = fc.oneof(
  { weight: 14, arbitrary: asked },
  { weight: 4, arbitrary: talking },
  { weight: 4, arbitrary: wandering },
  { weight: 2, arbitrary: arpFrame },
  { weight: 2, arbitrary: ndFrame },
  { weight: 2, arbitrary: mangled },
);
