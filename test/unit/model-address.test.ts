// SPDX-License-Identifier: Apache-2.0
import test from 'ava';
import fc from 'fast-check';
import {
  canonicalIpv4,
  formatAddress,
  formatMac,
  formatPrefix,
  networkOf,
  parseAddress,
  parseIpv4,
  parseMac,
  parsePrefix,
} from '../../lib/model/address.js';

test('IPv4 is carried as an IPv4-mapped address in network order', (t) => {
  t.deepEqual(
    [...parseIpv4('10.96.0.10')!],
    [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255, 10, 96, 0, 10],
  );
});

for (const text of ['', '10', '10.0.0', '10.0.0.0.1', '010.0.0.1', '10.0.0.256', '0x0a.0.0.1']) {
  test(`${JSON.stringify(text)} is no IPv4 address`, (t) => t.is(parseIpv4(text), null));
}

for (const text of [
  ' 10.0.0.1',
  '10.0.0.1\n',
  '::1%eth0',
  '::ffff:10.0.0.1',
  '[::1]',
  ':::',
  'g::',
]) {
  test(`${JSON.stringify(text)} is no address`, (t) => t.is(parseAddress(text), null));
}

for (const text of [
  '10.0.0.1',
  '10.0.0.1/',
  '10.0.0.1/33',
  '10.0.0.1/08',
  '::/129',
  '/8',
  '1/8/8',
]) {
  test(`${JSON.stringify(text)} is no prefix`, (t) => t.is(parsePrefix(text), null));
}

for (const text of ['02:00:00:00:00', '02-00-00-00-00-01', '2:0:0:0:0:1', '02:00:00:00:00:0g']) {
  test(`${text} is no MAC`, (t) => t.is(parseMac(text), null));
}

test('addresses and MACs survive text and back', (t) => {
  fc.assert(
    fc.property(fc.oneof(fc.ipV4(), fc.ipV6()), (text) => {
      const bytes = parseAddress(text);
      if (bytes === null) return text.includes('.') && text.includes(':');
      return parseAddress(formatAddress(bytes))!.every((byte, index) => byte === bytes[index]);
    }),
  );
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 6, maxLength: 6 }), (bytes) => {
      return parseMac(formatMac(bytes))!.every((byte, index) => byte === bytes[index]);
    }),
  );
  t.pass();
});

test('the network of a prefix has no host bits', (t) => {
  const rows = [
    ['10.1.2.3/16', '10.1.0.0/16'],
    ['10.1.2.255/25', '10.1.2.128/25'],
    ['255.255.255.255/0', '0.0.0.0/0'],
    ['10.1.2.3/32', '10.1.2.3/32'],
    ['fd00::1:2/64', 'fd00::/64'],
    ['ffff::/0', '::/0'],
  ];
  for (const [given, network] of rows) {
    t.is(formatPrefix(networkOf(parsePrefix(given!)!)), network);
  }
});

test('leading zeros of old Kubernetes objects are decimal', (t) => {
  t.is(canonicalIpv4('010.096.000.010'), '10.96.0.10');
  t.is(canonicalIpv4('10.0.0.256'), null);
  t.is(canonicalIpv4('fd00::1'), null);
});

test('IPv4 is exactly what four decimal parts of 0 to 255 spell', (t) => {
  const part = '(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])';
  const ipv4 = new RegExp(`^${part}(?:\\.${part}){3}$`);
  const near = fc.stringMatching(/^[0-9a.]{1,4}\.[0-9]{1,3}\.[0-9]{0,3}\.?[0-9]{1,4}$/);
  fc.assert(
    fc.property(fc.oneof(near, fc.ipV4(), fc.string()), (text) => {
      t.is(parseIpv4(text) !== null, ipv4.test(text), text);
    }),
    { numRuns: 2_000 },
  );
});
