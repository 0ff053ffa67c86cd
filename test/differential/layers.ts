// SPDX-License-Identifier: Apache-2.0
import fc from 'fast-check';
import {
  authentication,
  CHUNK,
  destinationOptions,
  type Extension,
  fragmentHeader,
  hopByHop,
  mssOption,
  type PacketBuilder,
  routing,
} from '../support/packets.js';
import { breakage, CLIENT_PORTS, mostly, pick } from './world.js';

const CHUNKS = [
  'init',
  'init',
  'init',
  'initAck',
  'data',
  'shutdown',
  'shutdownAck',
  'abort',
] as const;
const FLAGS = ['S', 'S', 'S', 'S', 'S', 'S', 'SA', 'A', 'PA', 'FA', 'R', 'RA'] as const;

export const shortPayload = mostly(
  12,
  fc.uint8Array({ maxLength: 24 }),
  fc.integer({ min: 1_340, max: 1_500 }).map((length) => new Uint8Array(length)),
);

/** Of what is cut in pieces. */
export const longPayload = fc.uint8Array({ minLength: 64, maxLength: 120 });

/** What is put behind an IP header. */
export type Layer4 = (builder: PacketBuilder) => PacketBuilder;

const checksum = mostly(6, fc.constant({}), fc.constant({ checksum: 'unfinished' as const }));

const options = mostly(
  4,
  fc.constant(new Uint8Array(0)),
  pick(
    mssOption(1_460),
    mssOption(1_460, [1]),
    mssOption(1_250, [3, 3, 7]),
    mssOption(9_000, [8, 1]),
  ),
);

export function layer4(
  ports: fc.Arbitrary<{ src: number; dst: number }>,
  payload: fc.Arbitrary<Uint8Array>,
): fc.Arbitrary<Layer4> {
  const tcp = fc
    .record({
      ports,
      payload,
      flags: pick(...FLAGS),
      options,
      checksum,
      broken: breakage({ dataOffset: 4 }, { dataOffset: 15 }),
    })
    .map(
      ({ ports, payload, flags, options, checksum, broken }): Layer4 =>
        (builder) =>
          builder.tcp({ ...ports, payload, flags, options, ...checksum, ...broken }),
    );
  const udp = fc
    .record({
      ports,
      payload,
      checksum,
      broken: breakage(
        { checksum: 0 },
        { checksum: 0 },
        { length: 7 },
        { length: 2_000 },
        { length: 8 },
      ),
    })
    .map(
      ({ ports, payload, checksum, broken }): Layer4 =>
        (builder) =>
          builder.udp({ ...ports, payload, ...checksum, ...broken }),
    );
  const sctp = fc
    .record({
      ports,
      payload,
      chunk: pick(...CHUNKS),
      broken: breakage({ checksum: 0 }, { chunk: 99 }, { chunk: CHUNK.shutdownComplete }),
    })
    .map(
      ({ ports, payload, chunk, broken }): Layer4 =>
        (builder) =>
          builder.sctp({ ...ports, payload, chunk, ...broken }),
    );
  const echo = fc
    .record({
      id: pick(...CLIENT_PORTS),
      seq: fc.nat(3),
      payload,
      reply: mostly(8, fc.constant(false), fc.constant(true)),
    })
    .map(
      (fields): Layer4 =>
        (builder) =>
          builder.icmpEcho(fields),
    );
  const otherIcmp = fc
    .record({ type: pick(0, 3, 8, 11, 13, 1, 2, 4, 128), code: pick(0, 1), payload })
    .map(
      (fields): Layer4 =>
        (builder) =>
          builder.icmp(fields),
    );
  const other = fc.uint8Array({ maxLength: 30 }).chain((bytes) =>
    pick(47, 6, 17, 132, 1, 58).map(
      (protocol): Layer4 =>
        (builder) =>
          builder.payload(bytes, protocol),
    ),
  );
  return fc.oneof(
    { weight: 8, arbitrary: tcp },
    { weight: 8, arbitrary: udp },
    { weight: 4, arbitrary: sctp },
    { weight: 4, arbitrary: echo },
    { weight: 1, arbitrary: otherIcmp },
    { weight: 1, arbitrary: other },
  );
}

export const extensions = mostly<readonly Extension[]>(
  4,
  fc.constant([]),
  fc.oneof(
    pick<readonly Extension[]>(
      [hopByHop()],
      [hopByHop(1), destinationOptions()],
      [routing(0)],
      [authentication()],
      [fragmentHeader({ offset: 0, more: false, id: 3 })],
    ),
    mostly<readonly Extension[]>(
      3,
      pick([destinationOptions(), routing(0), authentication()]),
      pick<readonly Extension[]>(
        [routing(1)],
        [destinationOptions(), hopByHop()],
        Array.from({ length: 9 }, () => destinationOptions()),
        [
          fragmentHeader({ offset: 0, more: true, id: 3 }),
          fragmentHeader({ offset: 0, more: false, id: 3 }),
        ],
        [{ number: 60, bytes: Uint8Array.of(0, 99, 0, 0, 0, 0, 0, 0) }],
      ),
    ),
  ),
);
