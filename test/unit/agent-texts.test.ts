// SPDX-License-Identifier: Apache-2.0
import test from 'ava';
import fc from 'fast-check';
import { formatBindAddress, parseBindAddress } from '../../lib/agent/bind-address.js';
import { DURATION_PATTERN, parseDuration } from '../../lib/agent/duration.js';

const DURATIONS: [string, number | null, string?][] = [
  ['0', 0, '0s'],
  ['0s', 0, '0s'],
  ['30s', 30_000, '30s'],
  ['1m30s', 90_000, '1m30s'],
  ['90s', 90_000, '1m30s'],
  ['24h', 86_400_000, '24h0m0s'],
  ['1.5h', 5_400_000, '1h30m0s'],
  ['10ms', 10, '10ms'],
  ['1.5s', 1_500, '1.5s'],
  ['.5s', 500, '500ms'],
  ['250us', 0.25, '250µs'],
  ['250µs', 0.25, '250µs'],
  ['2h45m30.5s', 9_930_500, '2h45m30.5s'],
  ['', null],
  ['30', null],
  ['-30s', null],
  ['s', null],
  ['.s', null],
  ['30 s', null],
  ['30s ', null],
  ['1d', null],
];

/** As Go prints whole milliseconds. */
function formatDuration(ms: number): string {
  if (ms > 0 && ms < 1) return `${ms * 1_000}µs`;
  if (ms > 0 && ms < 1_000) return `${ms}ms`;
  const hours = Math.floor(ms / 3_600_000);
  const minutes = Math.floor((ms % 3_600_000) / 60_000);
  const seconds = `${(ms % 60_000) / 1_000}s`;
  if (hours > 0) return `${hours}h${minutes}m${seconds}`;
  return minutes > 0 ? `${minutes}m${seconds}` : seconds;
}

test('durations are those of Go', (t) => {
  const pattern = new RegExp(DURATION_PATTERN, 'u');
  for (const [text, ms, printed] of DURATIONS) {
    t.is(parseDuration(text), ms, text);
    t.is(pattern.test(text), ms !== null, text);
    if (ms !== null) t.is(formatDuration(ms), printed!, text);
  }
  fc.assert(
    fc.property(fc.nat({ max: 10_000_000_000 }), (ms) => {
      t.is(parseDuration(formatDuration(ms)), ms);
    }),
  );
});

const ADDRESSES: [string, string | null][] = [
  ['0.0.0.0:1', '0.0.0.0:1'],
  ['127.0.0.1:0', '127.0.0.1:0'],
  ['127.0.0.1', '127.0.0.1:9'],
  ['::1', '[::1]:9'],
  ['[::1]', '[::1]:9'],
  ['[::]:65535', '0.0.0.0:65535'],
  ['[fd00:0::1]:80', '[fd00::1]:80'],
  ['127.0.0.1:65536', null],
  ['127.0.0.1:', null],
  ['[127.0.0.1]:80', null],
  [':80', '0.0.0.0:80'],
  ['80', null],
  ['localhost:80', null],
  ['[::1]:80x', null],
];

test('addresses to listen on have a port or get the default one', (t) => {
  for (const [text, right] of ADDRESSES) {
    const address = parseBindAddress(text, 9);
    t.is(address === null ? null : formatBindAddress(address), right, text);
  }
});
