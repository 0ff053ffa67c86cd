// SPDX-License-Identifier: Apache-2.0
import test from 'ava';
import fc from 'fast-check';
import { adjust, delta16, delta32, fold, sum } from '../../lib/engine/software/base/checksum.js';
import {
  crc32c,
  crc32cWord,
  crc32cZeroes,
  hashTuple,
} from '../../lib/engine/software/base/crc32c.js';
import { mix } from '../../lib/engine/software/base/mix.js';
import { checksumOf } from '../support/packets.js';

const text = (characters: string) => new TextEncoder().encode(characters);

test('CRC32C of known vectors (RFC 3720, B.4), with the final inversion', (t) => {
  const vectors: [Uint8Array, number][] = [
    [text('123456789'), 0xe3069283],
    [new Uint8Array(32), 0x8a9136aa],
    [new Uint8Array(32).fill(0xff), 0x62a8ab43],
    [Uint8Array.from({ length: 32 }, (_, i) => i), 0x46dd794e],
    [Uint8Array.from({ length: 32 }, (_, i) => 31 - i), 0x113fdb5c],
  ];
  for (const [bytes, expected] of vectors) t.is(~crc32c(bytes) >>> 0, expected);
});

test('CRC32C of nothing is the initial value', (t) => {
  t.is(crc32c(new Uint8Array(0)), -1);
});

test('four bytes at once are four bytes one by one', (t) => {
  const word = fc.integer({ min: 0, max: 0xffffffff });
  fc.assert(
    fc.property(word, word, (crc, value) => {
      const bytes = Uint8Array.of(value >>> 24, value >>> 16, value >>> 8, value);
      t.is(crc32cWord(crc, value), crc32c(bytes, crc));
    }),
  );
});

test('zeroes are taken in like any bytes', (t) => {
  for (const length of [0, 1, 3, 4, 5, 64]) {
    t.is(crc32cZeroes(0x12345678, length), crc32c(new Uint8Array(length), 0x12345678));
  }
});

const words = fc.array(fc.integer({ min: 0, max: 0xffffffff }), { minLength: 4, maxLength: 4 });

for (const [name, firstWord, length] of [
  ['IPv4', 3, 16],
  ['IPv6', 0, 40],
] as const) {
  test(`the hash of a five-tuple is that of its ${length} bytes, ${name}`, (t) => {
    const ports = fc.integer({ min: 0, max: 0xffffffff });
    const protocol = fc.integer({ min: 0, max: 255 });
    fc.assert(
      fc.property(words, words, ports, protocol, (source, destination, both, number) => {
        const all = [...source.slice(firstWord), ...destination.slice(firstWord), both];
        const bytes = new Uint8Array(length);
        const view = new DataView(bytes.buffer);
        for (const [i, word] of all.entries()) view.setUint32(i * 4, word);
        bytes[all.length * 4] = number;
        // The addresses stand in the middle of something longer, as in a burst.
        const sources = Int32Array.from([9, ...source]);
        const destinations = Int32Array.from([8, 7, ...destination]);
        const hash = hashTuple(sources, 1, destinations, 2, both, number, firstWord);
        t.is(hash, crc32c(bytes));
      }),
    );
  });
}

test('mix is the finaliser of MurmurHash3', (t) => {
  t.is(mix(0), 0);
  t.is(mix(1), 0x514e28b7);
  t.is(mix(0xffffffff), 0x81f16f39);
});

test('a word that stays what it was changes no checksum', (t) => {
  t.is(adjust(0xffff, delta16(0x1234, 0x1234)), 0xffff);
  t.is(adjust(0, delta32(0x12345678, 0x12345678)), 0);
});

test('an incremental checksum is the full one', (t) => {
  const word = fc.integer({ min: 0, max: 0xffff });
  const packet = fc.array(word, { minLength: 5, maxLength: 30 });
  fc.assert(
    fc.property(packet, word, word, word, (words, high, low, port) => {
      const bytesOf = (values: number[]) =>
        Uint8Array.from(values.flatMap((value) => [value >> 8, value & 0xff]));
      // Never all zero, as no packet is: the one case in which the two zeros of one's complement differ.
      const before = [0x4500, ...words];
      const after = [...before.slice(0, 1), high, low, port, ...before.slice(4)];
      const delta =
        delta32((before[1] << 16) | before[2], (high << 16) | low) + delta16(before[3], port);
      t.is(adjust(checksumOf(bytesOf(before)), delta), checksumOf(bytesOf(after)));
    }),
  );
});

test('the sum pads an odd last byte behind', (t) => {
  t.is(fold(sum(Uint8Array.of(9, 1, 2, 3), 1, 3)), 0x0102 + 0x0300);
});
