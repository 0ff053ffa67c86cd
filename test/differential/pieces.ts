// SPDX-License-Identifier: Apache-2.0
import fc from 'fast-check';
import { fragment, packet } from '../support/packets.js';
import { extensions, layer4, longPayload } from './layers.js';
import { askers, wanderers } from './ways.js';
import { type Arrival, MACS, mostly, PEER_MACS, pick, WORLDS } from './world.js';

/** 999: up to the end. */
type Cuts = readonly (readonly [from: number, to: number])[];

const cuts = mostly(
  5,
  pick<Cuts>(
    [
      [0, 32],
      [32, 64],
      [64, 999],
    ],
    [
      [0, 24],
      [24, 999],
    ],
    [
      [0, 48],
      [48, 56],
      [56, 64],
      [64, 72],
      [72, 999],
    ],
  ),
  pick<Cuts>(
    [
      [0, 32],
      [24, 64],
      [64, 999],
    ],
    [
      [0, 32],
      [32, 64],
      [32, 64],
      [64, 999],
    ],
    [
      [0, 32],
      [32, 999],
      [40, 999],
    ],
    [
      [8, 16],
      [16, 999],
    ],
    [
      [0, 8],
      [8, 999],
    ],
    [
      [0, 20],
      [20, 999],
    ],
    [
      [0, 32],
      [999, 999],
    ],
  ),
);

/** A datagram in fragments, in some order; some of it may be missing. */
export const pieces: fc.Arbitrary<Arrival[]> = fc
  .constantFrom(...WORLDS)
  .chain((world) =>
    mostly(6, askers(world), wanderers(world)).chain(({ on, src, dst, ports }) =>
      fc
        .record({
          add: layer4(fc.constant(ports), longPayload),
          cuts,
          id: fc.nat(3),
          extensions,
        })
        .map(({ add, cuts, id, extensions }) => {
          const builder = packet().eth({ src: PEER_MACS[on], dst: MACS[on] });
          if (world.family === 4) builder.ipv4({ src, dst });
          else builder.ipv6({ src, dst, extensions });
          return cutUp(on, add(builder).build(), cuts, id);
        }),
    ),
  )
  .chain((frames) => fc.shuffledSubarray(frames, { minLength: Math.max(1, frames.length - 1) }));

function cutUp(on: number, whole: Uint8Array, cuts: Cuts, id: number): Arrival[] {
  const length = whole.length - 14 - (whole[12] === 0x08 ? 20 : 40);
  return cuts.map(([from, to]) => {
    const end = Math.min(to, length);
    const piece = { from: Math.min(from, end), to: end, more: to !== 999, id };
    return { on, frame: fragment(whole, piece) };
  });
}
