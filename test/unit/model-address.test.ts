// SPDX-License-Identifier: Apache-2.0
import test from 'ava';
import fc from 'fast-check';
import {
  canonicalAddress,
  canonicalIpv4,
  contains,
  formatAddress,
  formatEndpoint,
  formatMac,
  formatPrefix,
  isMartian,
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

test('a network holds its addresses, of its own family alone', (t) => {
  const rows: [network: string, address: string, holds: boolean][] = [
    ['10.1.0.0/16', '10.1.255.1', true],
    ['10.1.0.0/16', '10.2.0.1', false],
    ['10.1.2.128/25', '10.1.2.127', false],
    ['0.0.0.0/0', '10.0.0.1', true],
    ['0.0.0.0/0', 'fd00::1', false],
    ['::/0', 'fd00::1', true],
    ['::/0', '10.0.0.1', false],
    ['fd00:0:1::/47', 'fd00::1', true],
    ['fd00:1::/48', 'fd00:2::1', false],
    ['fd00::1/128', 'fd00::1', true],
    ['10.0.0.1/32', '10.0.0.0', false],
  ];
  for (const [network, address, holds] of rows) {
    t.is(contains(parsePrefix(network)!, parseAddress(address)!), holds, `${network} ${address}`);
  }
});

test('addresses that nothing of ours may have', (t) => {
  const martians = [
    '0.1.2.3',
    '127.0.0.1',
    '224.0.0.1',
    '::',
    '::1',
    'fe80::1',
    'febf::1',
    'ff02::1',
  ];
  for (const text of martians) t.true(isMartian(parseAddress(text)!), text);
  for (const text of ['10.0.0.1', '223.255.255.1', '::2', 'fd00::1', 'fec0::1', '2001:db8::1']) {
    t.false(isMartian(parseAddress(text)!), text);
  }
});

test('an endpoint is written so that its port can be told from its address', (t) => {
  t.is(formatEndpoint('10.0.0.1', 80), '10.0.0.1:80');
  t.is(formatEndpoint('fd00::1', 80), '[fd00::1]:80');
  t.is(formatEndpoint('fd00::1', 0), 'fd00::1');
});

test('leading zeros of old Kubernetes objects are decimal', (t) => {
  t.is(canonicalIpv4('010.096.000.010'), '10.96.0.10');
  t.is(canonicalIpv4('10.0.0.256'), null);
  t.is(canonicalIpv4('fd00::1'), null);
  t.is(canonicalAddress('FD00:0::1'), 'fd00::1');
  t.is(canonicalAddress('web'), null);
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
